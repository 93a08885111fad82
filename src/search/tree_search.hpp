// The search of one tree as a machine that runs until it needs children of a node.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "search/expansion.hpp"
#include "search/options.hpp"
#include "search/tree.hpp"

namespace tenfold::search {

struct SearchCounts {
  std::uint64_t iterations = 0;
  std::uint64_t expansions = 0;
  std::uint64_t children = 0;
  std::uint64_t dead_ends = 0;
  std::uint64_t roots_settled = 0;  ///< roots that early stopping ended

  SearchCounts& operator+=(const SearchCounts& other);
  bool operator==(const SearchCounts&) const = default;
};

/// K iterations from the root: down by select_child(), through expansions, to a leaf; then one
/// backup. Then one step is committed to (choose_child), its subtree kept, and K iterations begin
/// there, until the committed node is a leaf (specification 2.4, 2.9).
///
/// With several paths in flight, expansions are taken in the order in which they were asked for,
/// whenever they arrive: the tree is a function of its options and its expander alone.
class TreeSearch {
 public:
  /// options must outlive this and be valid. id names the tree in errors and random draws.
  TreeSearch(const SearchOptions& options, std::uint64_t id, Tree tree);

  /// Does all that can be done without further expansions; appends the nodes whose children are now
  /// needed too. Nothing appended and not done(): earlier ones are still awaited.
  void advance(std::vector<NodeId>& wanted);
  /// Takes the children of a node that was asked for; used at the next advance(). expansion gets
  /// other memory for it. Throws Code::kBug for a node that was not asked for, Code::kNumeric for
  /// facts that are not finite, Code::kData for no children unless options.empty_is_terminal; each
  /// names tree and node.
  void give(Expansion& expansion);

  bool done() const { return done_; }
  std::uint64_t id() const { return id_; }
  const Tree& tree() const { return tree_; }
  /// Of a finished search, in as little memory as it needs.
  Tree take_tree() {
    tree_.shrink();
    return std::move(tree_);
  }
  NodeId root() const { return committed_.back(); }  ///< where the search stands
  /// The committed path so far: the tree's root, then one node a step.
  std::span<const NodeId> committed() const { return committed_; }
  const SearchCounts& counts() const { return counts_; }
  /// All nodes that are awaited, in the order in which they were asked for.
  void awaited(std::vector<NodeId>& nodes) const;
  /// How many paths lie over each node; empty without a virtual mode.
  std::span<const std::uint32_t> under_way() const { return under_way_; }

  /// The whole state, but for expansions that arrived before their turn. get() throws
  /// Code::kCheckpoint on damage; then awaited() nodes have to be asked for again.
  void put(ByteWriter& out) const;
  static TreeSearch get(ByteReader& in, const SearchOptions& options);
  /// The id of the search that put() wrote these bytes of, without reading the rest.
  static std::uint64_t id_of(ByteReader in);

 private:
  struct Path {
    std::vector<NodeId> nodes;  ///< from the search's root; empty: a free slot
  };
  struct Request {
    NodeId node = kNoNode;
    std::vector<std::uint32_t> waiting;  ///< slots of paths, in the order they came
    bool arrived = false;
    Expansion expansion;
  };

  std::uint64_t budget() const;
  bool is_leaf(NodeId node) const;
  void start_path(std::vector<NodeId>& wanted);
  void follow(std::uint32_t slot, std::vector<NodeId>& wanted);
  void wait(std::uint32_t slot, NodeId node, std::vector<NodeId>& wanted);
  void take_oldest(std::vector<NodeId>& wanted);
  void install(const Request& request);
  void finish(std::uint32_t slot);
  void enter(std::uint32_t slot, NodeId node);
  void commit();
  void check_whole() const;

  const SearchOptions* options_;
  std::uint64_t id_;
  Tree tree_;
  std::vector<NodeId> committed_{0};
  std::uint64_t started_ = 0, completed_ = 0;  ///< iterations at this root
  bool settled_ = false;
  bool done_ = false;
  SearchCounts counts_;
  std::vector<Path> paths_;
  std::vector<std::uint32_t> under_way_;
  std::vector<Request> requests_;  ///< oldest first
  Request spare_;                  ///< one that is used up
};

}  // namespace tenfold::search
