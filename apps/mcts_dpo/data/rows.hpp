// Rows of a JSON Lines file, of a JSON array or of a file with one object, before they are parsed.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace tenfold::mcts_dpo {

struct Row {
  std::string_view text;
  std::size_t line = 0;  ///< where it begins, counted from 1
};

/// Rows that hold anything. A text that begins with '[' is an array, of which the elements are cut
/// by their brackets, so that one malformed element spoils only what it swallows. one_object: a
/// text that begins with '{' and whose first line does not end what it begins is a single row.
std::vector<Row> split_rows(std::string_view text, bool one_object);

}  // namespace tenfold::mcts_dpo
