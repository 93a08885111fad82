// Root-parallel search: several finished searches of one question as one, with one path.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "search/options.hpp"
#include "search/tree_search.hpp"

namespace tenfold::search {

/// The tree as it was when the search had just committed to its step number `commits` (from 1), or
/// at its end where it made fewer: the search is done again with the children that it was given.
/// Its nodes have the numbers that they have in the finished tree. options are the finished
/// search's; theirs of commits is not asked.
Tree tree_at_commit(const TreeSearch& finished, const SearchOptions& options,
                    std::uint32_t commits);

struct MergedSearch {
  Tree tree;                      ///< all trees put together (RootMerge)
  std::vector<NodeId> committed;  ///< of that tree: its root, then one node a step
};

/// What searches of one state, with streams of their own, commit to together. At every node of the
/// path, from the root on, their trees are merged, each as it was when it left that node: when it
/// had committed to a step there, or, where it had parted from the path before, when it parted;
/// choose_child() of the merged tree is the next step. So later iterations, which each search spent
/// on a step of its own choice, do not count for that choice. The path ends where no search has
/// children. Every search has the same say whoever made it, in whatever order they come; one search
/// alone keeps its own tree and path. id names draws at a temperature. Throws what RootMerge does.
MergedSearch merged_search(std::span<const TreeSearch> searches, const SearchOptions& options,
                           std::uint64_t id);

}  // namespace tenfold::search
