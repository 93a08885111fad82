// Several searches of one question put together: root-parallel search.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "search/bytes.hpp"
#include "search/tree.hpp"

namespace tenfold::search {

/// Adds up trees that searched the same state, with other random streams or on other ranks. Nodes
/// are the same when the items on the way to them are: N adds up, Q and V are the means weighted by
/// N. Sums are kept as integers (64 bits behind the point), so that the result has the same bits in
/// whatever order and grouping trees are added, and merging equal trees changes no Q of 2^-11 or
/// more in size.
class RootMerge {
 public:
  /// Takes the subtree of root. Throws Code::kNumeric when a Q or V is 2^30 or more in size or the
  /// visits of a node add up to 2^32.
  void add(const Tree& tree, NodeId root = 0);
  void add(const RootMerge& other);

  std::uint64_t trees() const { return trees_; }
  /// The merged tree, children in the order of their items; its depths begin at 0. Facts are those
  /// of the tree whose (p, log p, R, C, O) are least, flags all that were set. Throws Code::kBug
  /// when nothing was added.
  Tree tree() const;

  /// For sending between ranks and for checkpoints; get() throws Code::kCheckpoint on damage.
  void put(ByteWriter& out) const;
  static RootMerge get(ByteReader& in);

 private:
  __extension__ using Fixed = __int128;
  struct Node {
    NodeFacts facts;
    double fresh_q = 0;  ///< Q of a node that no tree visited: the least
    std::uint64_t visits = 0;
    Fixed q_sum = 0, v_sum = 0;  ///< of N Q and N V, times 2^64
    std::map<std::vector<std::int32_t>, std::uint32_t> children;
  };

  static Node node_of(const Tree& tree, NodeId node);
  void combine(std::uint32_t mine, const Node& other, bool first);
  std::uint32_t child_of(std::uint32_t parent, std::span<const std::int32_t> step, bool& fresh);

  std::vector<Node> nodes_;  ///< 0 is the root
  std::vector<std::int32_t> root_items_;
  std::uint64_t trees_ = 0;
};

}  // namespace tenfold::search
