// Named settings, each value with its source.
#pragma once

#include "cli/option_table.hpp"

namespace tenfold::mcts_dpo {

void declare_presets(cli::OptionTable& table);

}  // namespace tenfold::mcts_dpo
