// Which child a path takes, and what a finished path leaves in the tree.
#pragma once

#include <cstdint>
#include <span>

#include "search/options.hpp"
#include "search/tree.hpp"

namespace tenfold::search {

/// The score of one child with the highest of all (specification 2.3): Q + c p sqrt(max(1, N)) /
/// (1 + n), or UCB1. Ties go to the larger p, then to the first; with options.official to the
/// first. parent must be expanded. under_way, when not empty: for every node how many paths that
/// are not yet backed up lie over it, the asking path in it (options.virtual_mode says what they
/// count as).
NodeId select_child(const Tree& tree, NodeId parent, const SearchOptions& options,
                    std::span<const std::uint32_t> under_way = {});

/// The score by which select_child() compares.
double selection_score(const Tree& tree, NodeId child, const SearchOptions& options,
                       std::span<const std::uint32_t> under_way = {});

/// Leaf to root (specification 2.8): N += 1; V(s) = sum max(1, N) Q / sum max(1, N) over the
/// children (or without the floor of 1: options.count_unvisited); Q(s) = r(s) + gamma V(s).
void backup(Tree& tree, std::span<const NodeId> path, const SearchOptions& options);

}  // namespace tenfold::search
