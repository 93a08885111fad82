#include "mcts_dpo/search/branch_cache.hpp"

#include "base/error.hpp"

namespace tenfold::mcts_dpo {

using search::NodeId;

BranchCache::Key BranchCache::key_of(std::uint64_t tree, const search::Tree& nodes, NodeId node) {
  const NodeId parent = nodes.parent(node);
  return {tree, parent, node - nodes.first_child(parent)};
}

void BranchCache::put(std::uint64_t tree, NodeId parent, std::uint32_t child,
                      nn::Sequence sequence) {
  const Key key{tree, parent, child};
  const auto [at, fresh] = branches_.emplace(key, Branch{sequence, ++clock_});
  base::require(fresh, "BranchCache: a node has a sequence already");
  order_.emplace(clock_, key);
}

BranchCache::Found BranchCache::nearest(std::uint64_t tree, const search::Tree& nodes,
                                        NodeId node) {
  for (; nodes.parent(node) != search::kNoNode; node = nodes.parent(node)) {
    const auto at = branches_.find(key_of(tree, nodes, node));
    if (at == branches_.end()) continue;
    order_.erase(at->second.used);
    at->second.used = ++clock_;
    order_.emplace(clock_, at->first);
    return {at->second.sequence, node};
  }
  return {};
}

BranchCache::Branches::iterator BranchCache::remove(Branches::iterator at) {
  blocks_.release(at->second.sequence);
  order_.erase(at->second.used);
  return branches_.erase(at);
}

bool BranchCache::make_room(std::int64_t blocks) {
  const std::int64_t wanted = blocks_.free_blocks() + blocks;
  bool any = false;
  while (blocks_.free_blocks() < wanted && !order_.empty()) {
    remove(branches_.find(order_.begin()->second));
    ++evictions_;
    any = true;
  }
  return any;
}

void BranchCache::keep_below(std::uint64_t tree, const search::Tree& nodes, NodeId root) {
  for (auto at = branches_.lower_bound({tree, 0, 0});
       at != branches_.end() && at->first.tree == tree;) {
    // Children that were sampled but have no numbers yet lie where their parent does.
    NodeId node = at->first.parent;
    if (nodes.first_child(node) != search::kNoNode)
      node = nodes.first_child(node) + at->first.child;
    while (node != root && node != search::kNoNode) node = nodes.parent(node);
    at = node == root ? std::next(at) : remove(at);
  }
}

void BranchCache::forget(std::uint64_t tree) {
  for (auto at = branches_.lower_bound({tree, 0, 0});
       at != branches_.end() && at->first.tree == tree;) {
    at = remove(at);
  }
}

}  // namespace tenfold::mcts_dpo
