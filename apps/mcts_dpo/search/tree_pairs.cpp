#include "mcts_dpo/search/tree_pairs.hpp"

#include <algorithm>
#include <tuple>

#include "base/philox.hpp"
#include "mcts_dpo/generation/decoder.hpp"
#include "mcts_dpo/learning/preference_loss.hpp"

namespace tenfold::mcts_dpo {

using search::NodeId;
using search::Tree;

PairTally& PairTally::operator+=(const PairTally& other) {
  trees += other.trees;
  wrong_path += other.wrong_path;
  kept += other.kept;
  only_child += other.only_child;
  small_gap += other.small_gap;
  over_limit += other.over_limit;
  too_long += other.too_long;
  return *this;
}

namespace {

// The published code's order; edge rewards of siblings differ as their R do.
auto rank_of(const Tree& tree, NodeId node) {
  return std::tuple(tree.q(node), tree.prior(node), tree.reward(node), tree.visits(node));
}

std::vector<std::int32_t> with_chain(const Tree& tree, NodeId node, double* log_prob = nullptr) {
  std::vector<std::int32_t> tokens(tree.items(node).begin(), tree.items(node).end());
  if (log_prob != nullptr) *log_prob = tree.log_prob(node);
  while (tree.child_count(node) == 1) {
    node = tree.first_child(node);
    if (log_prob != nullptr) *log_prob += tree.log_prob(node);
    tokens.insert(tokens.end(), tree.items(node).begin(), tree.items(node).end());
  }
  return tokens;
}

struct Siblings {
  NodeId winner, loser;
};

Siblings choose(const Config& config, const Tree& tree, NodeId node, const nn::SampleKey& key) {
  std::vector<NodeId> children(tree.child_count(node));
  for (std::uint32_t k = 0; k < tree.child_count(node); ++k) {
    children[k] = tree.first_child(node) + k;
  }
  // Ties: the first child is the better one.
  std::stable_sort(children.begin(), children.end(),
                   [&](NodeId a, NodeId b) { return rank_of(tree, b) < rank_of(tree, a); });
  std::size_t loser = children.size() - 1;
  if (config.loser == "second") loser = 1;
  if (config.loser == "random") {
    const auto others = static_cast<double>(children.size() - 1);
    loser = 1 + static_cast<std::size_t>(nn::token_uniform(key, 0) * others);
  }
  return {children.front(), children[loser]};
}

double smoothing_of(const Config& config, const Tree& tree, const Siblings& siblings) {
  if (config.smoothing == "none") return 0;
  if (config.smoothing == "constant") return config.smoothing_constant;
  return visit_smoothing(tree.visits(siblings.winner), tree.visits(siblings.loser));
}

}  // namespace

bool right_path(const Tree& tree, std::span<const NodeId> committed) {
  return tree.outcome(committed.back()) > 0;
}

std::vector<PreferencePair> pairs_of(const Config& config, const Tree& tree,
                                     std::span<const NodeId> committed, std::int64_t question,
                                     std::uint32_t seed, std::uint64_t round, std::int64_t longest,
                                     PairTally& tally) {
  std::vector<PreferencePair> pairs;
  ++tally.trees;
  if (config.require_right_path && !right_path(tree, committed)) {
    ++tally.wrong_path;
    return pairs;
  }
  for (const NodeId node : committed.first(committed.size() - 1)) {
    if (tree.child_count(node) < 2) {
      ++tally.only_child;
      continue;
    }
    const Siblings siblings =
        choose(config, tree, node,
               sample_key(seed, SampleUse::kLoser, round, static_cast<std::uint64_t>(question),
                          tree.path_key(node), 0));
    PreferencePair pair;
    pair.question = question;
    pair.gap = tree.q(siblings.winner) - tree.q(siblings.loser);
    if (pair.gap < config.min_gap) {
      ++tally.small_gap;
      continue;
    }
    if (pairs.size() >= static_cast<std::size_t>(config.most_pairs)) {
      ++tally.over_limit;
      continue;
    }
    pair.prefix = tree.state_items(node);
    pair.winner = with_chain(tree, siblings.winner, &pair.sampled_winner);
    pair.loser = with_chain(tree, siblings.loser);
    pair.smoothing = smoothing_of(config, tree, siblings);
    const std::size_t most = std::max(pair.winner.size(), pair.loser.size());
    if (static_cast<std::int64_t>(pair.prefix.size() + most) > longest) {
      ++tally.too_long;
      continue;
    }
    ++tally.kept;
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace tenfold::mcts_dpo
