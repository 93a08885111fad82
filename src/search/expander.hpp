// Where the children of nodes come from: a language model's steps, a game's moves, a mock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "search/expansion.hpp"
#include "search/tree.hpp"

namespace tenfold::search {

/// An implementation may work on the nodes of all trees at once, for example in one batch that
/// decodes all the time, and finish them in any order. What it gives for a node must be a function
/// of the tree's id, the place of the node (Tree::path_key) and the items on the way there, or
/// results depend on the order: key random streams so. A search that was stored asks again for what
/// was not finished.
class Expander {
 public:
  virtual ~Expander() = default;

  /// A tree of one node for a work item, when its search begins: the root's items and facts.
  virtual Tree plant(std::uint64_t id) {
    (void)id;
    return Tree();
  }
  /// Asks for all children of a node. tree stays where it is until they were given; nodes may be
  /// added to it between calls, so that numbers of nodes hold and spans of items do not.
  virtual void submit(std::uint64_t id, const Tree& tree, NodeId node) = 0;
  /// Works on what was submitted, one piece (a step of the batch); appends what that finished, with
  /// tree and node set, and may take the expansions' memory from given-back ones (spare()).
  virtual void advance(std::vector<Expansion>& finished) = 0;
  /// The search of a tree now stands at root (the tree's root first, then every committed node, and
  /// where a stored search goes on): nothing outside of its subtree will be asked for.
  virtual void moved(std::uint64_t id, const Tree& tree, NodeId root) {
    (void)id, (void)tree, (void)root;
  }
  /// The tree has ended, or was taken away: forget it.
  virtual void ended(std::uint64_t id) { (void)id; }
  /// Filled part of the batch in [0, 1], for progress lines; 1 where there is none.
  virtual double occupancy() const { return 1; }

  /// The pool gives expansions back that were used up, for their memory.
  void give_back(Expansion&& used) { spare_.push_back(std::move(used)); }

 protected:
  /// An empty expansion of a node.
  Expansion spare(std::uint64_t id, NodeId node) {
    Expansion fresh;
    if (!spare_.empty()) {
      fresh = std::move(spare_.back());
      spare_.pop_back();
    }
    fresh.clear();
    fresh.tree = id;
    fresh.node = node;
    return fresh;
  }

 private:
  std::vector<Expansion> spare_;
};

}  // namespace tenfold::search
