// The specification's search (2.3 to 2.9) written down a second time, as plainly as can be: nodes
// that own their children, recursion, an expander that answers at once.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <vector>

#include "search/expansion.hpp"

namespace tenfold::search {

struct NaiveNode {
  NodeFacts facts;
  std::vector<std::int32_t> items;
  NaiveNode* parent = nullptr;
  std::vector<std::unique_ptr<NaiveNode>> children;
  bool expanded = false;
  std::vector<std::uint32_t> indices;
  std::uint32_t visits = 0;
  double q = 0, v = 0;

  double edge() const {
    return parent == nullptr ? facts.reward : facts.reward - parent->facts.reward;
  }
  bool terminal() const { return (facts.flags & kTerminal) != 0; }
};

struct NaiveSettings {
  int iterations = 5, first = 1, depth_limit = 4;
  bool limit_from_search_root = false;
  bool official = false;
  double c_puct = 1, gamma = 1;
};

class NaiveSearch {
 public:
  using Children = std::function<Expansion(const std::vector<std::uint32_t>& indices)>;
  NaiveSearch(NaiveSettings settings, Children children)
      : settings_(settings), children_(std::move(children)) {}

  NaiveNode root;
  std::vector<NaiveNode*> committed;

  void run() {
    committed = {&root};
    while (!leaf(*committed.back())) {
      NaiveNode& start = *committed.back();
      const int times = settings_.iterations * (start.parent == nullptr ? settings_.first : 1);
      for (int k = 0; k < times; ++k) {
        if (settings_.official) ++start.visits;
        iterate(start);
      }
      committed.push_back(commit(start));
    }
  }

 private:
  bool leaf(const NaiveNode& node) const {
    const std::size_t from =
        settings_.limit_from_search_root ? committed.back()->indices.size() : 0;
    return node.terminal() ||
           node.indices.size() - from >= static_cast<std::size_t>(settings_.depth_limit);
  }

  double score(const NaiveNode& node) const {
    double n = node.parent->visits;
    if (!settings_.official && n < 1) n = 1;
    return node.q + settings_.c_puct * std::sqrt(n) * node.facts.prior / (1.0 + node.visits);
  }

  NaiveNode& pick(const NaiveNode& node) const {
    NaiveNode* best = node.children[0].get();
    for (const auto& child : node.children) {
      if (score(*child) > score(*best) || (!settings_.official && score(*child) == score(*best) &&
                                           child->facts.prior > best->facts.prior)) {
        best = child.get();
      }
    }
    return *best;
  }

  void expand(NaiveNode& node) {
    const Expansion made = children_(node.indices);
    node.expanded = true;
    for (std::size_t k = 0; k < made.children.size(); ++k) {
      auto child = std::make_unique<NaiveNode>();
      child->facts = made.children[k];
      const auto items = made.items_of(k);
      child->items.assign(items.begin(), items.end());
      child->parent = &node;
      child->indices = node.indices;
      child->indices.push_back(static_cast<std::uint32_t>(k));
      child->q = child->edge();
      node.children.push_back(std::move(child));
    }
  }

  void iterate(NaiveNode& node) {
    if (!leaf(node)) {
      if (!node.expanded) expand(node);
      iterate(pick(node));
      double sum = 0, weight = 0;
      for (const auto& child : node.children) {
        const double n = child->visits == 0 ? 1 : child->visits;
        sum += n * child->q;
        weight += n;
      }
      node.v = sum / weight;
    }
    ++node.visits;
    node.q = node.edge() + settings_.gamma * node.v;
  }

  static std::uint32_t spread(const NaiveNode& node) {
    std::uint32_t least = UINT32_MAX, most = 0;
    for (const auto& child : node.children) {
      least = std::min(least, child->visits);
      most = std::max(most, child->visits);
    }
    return node.children.empty() ? 0 : most - least;
  }

  static NaiveNode* commit(const NaiveNode& node) {
    NaiveNode* best = node.children[0].get();
    const auto key = [](const NaiveNode& child) {
      return std::tuple(double(child.visits) * (1.0 + spread(child)), child.q, child.v);
    };
    for (const auto& child : node.children) {
      if (key(*child) > key(*best)) best = child.get();
    }
    return best;
  }

  NaiveSettings settings_;
  Children children_;
};

}  // namespace tenfold::search
