// `tenfold show --tree` and `--pairs`: what a run's searches found, and what it learned from.
#pragma once

#include "base/error.hpp"
#include "tenfold/arguments.hpp"

namespace tenfold::tool {

/// Draws one tree, with --all those of the round. The second operand is ROUND[:QUESTION].
base::Code show_trees(const Arguments& arguments);

/// Writes preference pairs as JSON lines, of all rounds or of the one that is named.
base::Code show_pairs(const Arguments& arguments);

}  // namespace tenfold::tool
