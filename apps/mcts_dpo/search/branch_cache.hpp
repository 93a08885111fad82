// Which nodes of which trees have their keys and values in the decoder's cache.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <tuple>

#include "nn/decoding/kv_blocks.hpp"
#include "search/tree.hpp"

namespace tenfold::mcts_dpo {

/// A node's sequence holds all tokens from the prompt to the node but the last. Nodes are named by
/// their parent and their place among its children, which are known before they have numbers. When
/// the pool is full, what was used least lately goes; its tokens are read again when they are
/// needed.
class BranchCache {
 public:
  explicit BranchCache(nn::KvBlocks& blocks) : blocks_(blocks) {}

  /// The cache releases sequence from now on.
  void put(std::uint64_t tree, search::NodeId parent, std::uint32_t child, nn::Sequence sequence);
  struct Found {
    nn::Sequence sequence = nn::Sequence::kNone;
    search::NodeId node = search::kNoNode;
  };
  /// The deepest node on the way to node, or node itself, whose sequence is here: until room is
  /// made the next time.
  Found nearest(std::uint64_t tree, const search::Tree& nodes, search::NodeId node);
  /// Releases what was used least lately until so many blocks more are free, or nothing is left to
  /// release. Returns whether anything was.
  bool make_room(std::int64_t blocks);
  /// Releases what is not below root.
  void keep_below(std::uint64_t tree, const search::Tree& nodes, search::NodeId root);
  void forget(std::uint64_t tree);
  std::uint64_t evictions() const { return evictions_; }

 private:
  struct Key {
    std::uint64_t tree;
    search::NodeId parent;
    std::uint32_t child;
    bool operator<(const Key& other) const {
      return std::tie(tree, parent, child) < std::tie(other.tree, other.parent, other.child);
    }
  };
  struct Branch {
    nn::Sequence sequence;
    std::uint64_t used;  ///< names its place in order_
  };
  using Branches = std::map<Key, Branch>;
  static Key key_of(std::uint64_t tree, const search::Tree& nodes, search::NodeId node);
  Branches::iterator remove(Branches::iterator at);

  nn::KvBlocks& blocks_;
  Branches branches_;
  std::map<std::uint64_t, Key> order_;  ///< by last use
  std::uint64_t clock_ = 0, evictions_ = 0;
};

}  // namespace tenfold::mcts_dpo
