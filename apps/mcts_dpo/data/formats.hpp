// One parsed row of each format as a Question.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "mcts_dpo/data/reader.hpp"

namespace tenfold::mcts_dpo {

/// Why a row is no question: a cause that rows are counted by, the field, and what there is to say.
struct BadRow {
  std::string cause;
  std::string field;
  std::string detail;
};

/// By the fields that a row has; none when they fit no format.
std::optional<DataFormat> detect_format(const nlohmann::json& row);

/// Throws BadRow. The id is empty where the row has none; the line is not set.
Question question_of(const nlohmann::json& row, DataFormat format, const ReadOptions& options);

}  // namespace tenfold::mcts_dpo
