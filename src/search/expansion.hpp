// What is known of a node when it is made, and the children that one expansion gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::search {

using NodeId = std::uint32_t;  ///< in order of creation; 0 is the tree's root
inline constexpr NodeId kNoNode = UINT32_MAX;

/// Bits of NodeFacts::flags. Those from kFirstFreeFlag on are the application's.
enum NodeFlag : std::uint32_t {
  kTerminal = 1U << 0,    ///< never expanded: the solution or game ends here
  kExpanded = 1U << 1,    ///< set by Tree::expand
  kTruncated = 1U << 2,   ///< the step was cut at a cap
  kInjected = 1U << 3,    ///< from a given solution, not sampled
  kUnparsable = 1U << 4,  ///< a terminal whose answer could not be read
  kDeadEnd = 1U << 5,     ///< an expansion gave no children
  kFirstFreeFlag = 1U << 8,
};

/// R is what the search works with; C and O are its parts, kept for who reads the tree.
struct NodeFacts {
  double prior = 1;            ///< p(a|s) >= 0, need not sum to 1 over siblings
  double log_prob = 0;         ///< sum over the step's items, of the untempered policy
  double reward = 0;           ///< R(s), the state's reward
  double self_evaluation = 0;  ///< C(s)
  double outcome = 0;          ///< O(s)
  std::uint32_t flags = 0;     ///< NodeFlag
};

/// All children of one node, in order. An item is a token of a step, a move, whatever the expander
/// calls so.
struct Expansion {
  std::uint64_t tree = 0;  ///< the id that the request named
  NodeId node = kNoNode;
  std::vector<NodeFacts> children;
  std::vector<std::uint32_t> item_ends;  ///< child k has items [end of k - 1, end of k)
  std::vector<std::int32_t> items;

  void clear();
  void add(const NodeFacts& facts, std::span<const std::int32_t> step);
  std::span<const std::int32_t> items_of(std::size_t child) const;
};

inline void Expansion::clear() {
  children.clear();
  item_ends.clear();
  items.clear();
}

inline void Expansion::add(const NodeFacts& facts, std::span<const std::int32_t> step) {
  children.push_back(facts);
  items.insert(items.end(), step.begin(), step.end());
  item_ends.push_back(static_cast<std::uint32_t>(items.size()));
}

inline std::span<const std::int32_t> Expansion::items_of(std::size_t child) const {
  const std::size_t begin = child == 0 ? 0 : item_ends[child - 1];
  return std::span(items).subspan(begin, item_ends[child] - begin);
}

}  // namespace tenfold::search
