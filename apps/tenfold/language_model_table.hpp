// `tenfold simulate --language-model`: memory and time of mcts_dpo with a large model.
#pragma once

#include <string>

#include "tenfold/arguments.hpp"

namespace tenfold::tool {

/// Two tables: bytes of a rank by part, and hours, for each number of ranks. Throws Code::kUsage,
/// Code::kData for a config.json that is none.
std::string language_model_text(const Arguments& arguments);

}  // namespace tenfold::tool
