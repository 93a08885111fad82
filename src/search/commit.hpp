// Which step a search commits to after its iterations, and when that can no longer change.
#pragma once

#include <cstdint>

#include "search/options.hpp"
#include "search/tree.hpp"

namespace tenfold::search {

/// The child of root to go on with (specification 2.9). At temperature 0 the largest (N (1 + g), Q,
/// V), compared in this order, the first of equals; g: the spread of visits among the child's own
/// children. Else drawn with probability in proportion to (exp(Q) (1 + number of children))^(1 /
/// tau), tau = temperature temperature_decay^depth(root), among those that were visited; tau
/// 0 counts as temperature 0. The draw is a function of options.seed, tree_id and root's depth.
/// Where the second of two players chooses, -Q and -V stand for Q and V.
/// root must be expanded and visited. searches: how many spent their iterations at root, where
/// several trees were merged: then N and g are their means, so that equal trees choose what one of
/// them does.
NodeId choose_child(const Tree& tree, NodeId root, const SearchOptions& options,
                    std::uint64_t tree_id, std::uint64_t searches = 1);

/// True when choose_child() at temperature 0 gives the same child whatever so many further
/// iterations from root do: no other child's N (1 + g) can come up to its own.
bool choice_is_settled(const Tree& tree, NodeId root, const SearchOptions& options,
                       std::uint32_t iterations_left);

}  // namespace tenfold::search
