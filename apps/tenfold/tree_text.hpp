// A search tree as lines of text.
#pragma once

#include <cstddef>
#include <string>

#include "tenfold/tree_file.hpp"

namespace tenfold::tool {

/// A line for each node, no longer than width: N, Q, V, R, p and the text of its step, cut.
/// '>' marks the committed path, W and L the winner and loser of a pair. Control characters of the
/// model's text are shown as such.
std::string tree_text(const StoredTree& tree, std::size_t width, bool ascii);

/// Places of the terminal that stdout is, else $COLUMNS, else 120.
std::size_t terminal_width();

}  // namespace tenfold::tool
