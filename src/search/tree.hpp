// One search tree as arrays over its nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "search/bytes.hpp"
#include "search/expansion.hpp"
#include "search/options.hpp"

namespace tenfold::search {

/// Nodes are numbered as they were made; all children of a node are made at once and lie side by
/// side. A node's items are those of its own step: a state is the items of all nodes from the root
/// to it. Statistics are doubles, so that a tree has the same bits wherever it was searched.
class Tree {
 public:
  /// A tree of one node. Throws Code::kNumeric when a fact is not finite.
  explicit Tree(std::span<const std::int32_t> root_items = {}, const NodeFacts& root = {});

  NodeId size() const { return static_cast<NodeId>(parent_.size()); }
  /// Makes all children of node, with N = V = 0 and Q = r(node, child); gives the first one's
  /// number. Throws Code::kBug when node is unknown or has been expanded, or nothing is given;
  /// Code::kNumeric, and leaves the tree as it was, when a fact is not finite or a prior negative.
  NodeId expand(NodeId node, const Expansion& expansion, EdgeReward rule);

  NodeId parent(NodeId node) const { return parent_[node]; }  ///< kNoNode at the root
  NodeId first_child(NodeId node) const { return first_child_[node]; }
  std::uint32_t child_count(NodeId node) const { return child_count_[node]; }
  std::uint32_t depth(NodeId node) const { return depth_[node]; }
  std::uint32_t visits(NodeId node) const { return visits_[node]; }  ///< N
  double q(NodeId node) const { return q_[node]; }                   ///< Q(parent, this step)
  double v(NodeId node) const { return v_[node]; }                   ///< V(s)
  double prior(NodeId node) const { return prior_[node]; }           ///< p(a|s)
  double log_prob(NodeId node) const { return log_prob_[node]; }     ///< of the node's own step
  double reward(NodeId node) const { return reward_[node]; }         ///< R(s)
  double self_evaluation(NodeId node) const { return self_evaluation_[node]; }  ///< C(s)
  double outcome(NodeId node) const { return outcome_[node]; }                  ///< O(s)
  std::uint32_t flags(NodeId node) const { return flags_[node]; }
  bool has(NodeId node, std::uint32_t flag) const { return (flags_[node] & flag) != 0; }
  std::span<const std::int32_t> items(NodeId node) const;

  NodeFacts facts(NodeId node) const;
  /// r(parent, node); at the root R itself.
  double edge_reward(NodeId node, EdgeReward rule) const {
    if (rule == EdgeReward::kState || node == 0) return reward_[node];
    return reward_[node] - reward_[parent_[node]];
  }
  /// Nodes from the root to node, both with it.
  std::vector<NodeId> path(NodeId node) const;
  /// The items of all nodes from the root to node: the state.
  std::vector<std::int32_t> state_items(NodeId node) const;
  /// Names the place of a node by its path's child indices, whatever else is in the tree: what
  /// random streams of an expansion are keyed with.
  std::uint64_t path_key(NodeId node) const;
  /// The spread of the visits of node's children, largest - smallest; 0 without children.
  std::uint32_t visit_spread(NodeId node) const;

  void add_visit(NodeId node) { ++visits_[node]; }
  void set_q(NodeId node, double value) { q_[node] = value; }
  void set_v(NodeId node, double value) { v_[node] = value; }
  void add_flags(NodeId node, std::uint32_t flags) { flags_[node] |= flags; }
  /// Overwrites all statistics of a node: for trees that are put together from others.
  void set_statistics(NodeId node, std::uint32_t visits, double q, double v);

  /// Gives back memory that was reserved to grow: for trees that are kept.
  void shrink();
  /// Bytes of memory that it holds.
  std::size_t bytes_held() const;

  /// Versioned; get() throws Code::kCheckpoint on whatever put() would not have written.
  void put(ByteWriter& out) const;
  static Tree get(ByteReader& in);
  bool operator==(const Tree&) const = default;

 private:
  struct Unfilled {};
  explicit Tree(Unfilled) {}
  void grow(std::size_t count);
  void fill(NodeId node, const NodeFacts& facts);
  void check_whole() const;

  std::vector<NodeId> parent_, first_child_;
  std::vector<std::uint32_t> child_count_, depth_, visits_, flags_, item_end_;
  std::vector<double> q_, v_, prior_, log_prob_, reward_, self_evaluation_, outcome_;
  std::vector<std::int32_t> items_;
};

}  // namespace tenfold::search
