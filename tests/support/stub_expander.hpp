// A made-up world for tree searches: the children of a node are a function of the tree's id and of
// the indices on the way to it, drawn from Philox, and come in whatever order the test asks for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/philox.hpp"
#include "search/expander.hpp"
#include "search/tree_search.hpp"

namespace tenfold::search {

struct StubWorld {
  std::uint32_t seed = 1;
  std::uint32_t least_children = 1, most_children = 4;
  double terminal = 0.2;      ///< probability that a child is one
  double empty = 0;           ///< probability that a node has no children
  std::uint32_t levels = 16;  ///< rewards and priors are multiples of 1 / levels: ties happen

  Expansion children(std::uint64_t id, const std::vector<std::uint32_t>& indices) const {
    const std::uint64_t place =
        base::xxh64(std::as_bytes(std::span<const std::uint32_t>(indices)), id + 1);
    base::Stream draws(seed, base::Purpose::kTest, static_cast<std::uint32_t>(indices.size()),
                       place);
    Expansion made;
    if (draws.uniform() < empty) return made;
    const auto count = least_children + draws.below(most_children - least_children + 1);
    for (std::uint64_t k = 0; k < count; ++k) {
      NodeFacts facts;
      facts.prior = static_cast<double>(1 + draws.below(levels)) / levels;
      facts.self_evaluation = static_cast<double>(draws.below(levels)) / levels;
      if (draws.uniform() < terminal) {
        facts.flags = kTerminal;
        facts.outcome = draws.uniform() < 0.5 ? -1 : 1;
      }
      facts.log_prob = std::log(facts.prior);
      facts.reward = facts.outcome + facts.self_evaluation;
      std::vector<std::int32_t> items(draws.below(4));
      for (std::int32_t& item : items) item = static_cast<std::int32_t>(draws.below(100));
      made.add(facts, items);
    }
    return made;
  }
};

inline std::vector<std::uint32_t> indices_of(const Tree& tree, NodeId node) {
  std::vector<std::uint32_t> indices;
  for (const NodeId each : tree.path(node)) {
    if (each != 0) indices.push_back(each - tree.first_child(tree.parent(each)));
  }
  return indices;
}

/// Finishes at most `batch` nodes at a call, in an order shuffled by `shuffle` (0: as they came).
class StubExpander : public Expander {
 public:
  explicit StubExpander(StubWorld world, std::size_t batch = 1, std::uint32_t shuffle = 0)
      : world_(world), batch_(batch), shuffle_(shuffle) {}

  void submit(std::uint64_t id, const Tree& tree, NodeId node) override {
    Expansion made = spare(id, node);
    const Expansion drawn = world_.children(id, indices_of(tree, node));
    made.children = drawn.children;
    made.items = drawn.items;
    made.item_ends = drawn.item_ends;
    pending_.push_back(std::move(made));
    ++asked_;
  }

  void advance(std::vector<Expansion>& finished) override {
    for (std::size_t k = 0; k < batch_ && !pending_.empty(); ++k) {
      std::size_t at = 0;
      if (shuffle_ != 0) {
        base::Stream draws(shuffle_, base::Purpose::kTest, 0, calls_++);
        at = draws.below(pending_.size());
      }
      finished.push_back(std::move(pending_[at]));
      pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

  std::size_t pending() const { return pending_.size(); }
  std::uint64_t asked() const { return asked_; }

 private:
  StubWorld world_;
  std::size_t batch_;
  std::uint32_t shuffle_;
  std::vector<Expansion> pending_;
  std::uint64_t calls_ = 0, asked_ = 0;
};

/// One tree to its end, without a pool.
inline TreeSearch searched(const SearchOptions& options, Expander& expander, std::uint64_t id,
                           Tree tree = Tree()) {
  options.validate();
  TreeSearch search(options, id, std::move(tree));
  std::vector<NodeId> wanted;
  std::vector<Expansion> finished;
  while (true) {
    wanted.clear();
    search.advance(wanted);
    if (search.done()) return search;
    for (const NodeId node : wanted) expander.submit(id, search.tree(), node);
    finished.clear();
    expander.advance(finished);
    for (Expansion& each : finished) search.give(each);
  }
}

}  // namespace tenfold::search
