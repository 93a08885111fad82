#include "mcts_dpo/search/tree_pairs.hpp"

#include <algorithm>
#include <tuple>

#include "base/philox.hpp"
#include "mcts_dpo/generation/decoder.hpp"
#include "mcts_dpo/learning/preference_loss.hpp"
#include "mcts_dpo/search/answer_flags.hpp"

namespace tenfold::mcts_dpo {

using search::NodeId;
using search::Tree;

namespace {

// The share of a commitment that is decided by visits, up to a factor that siblings of equal Q have
// in common: at temperature 0 all to those with the most, else as the search draws (section 2.9 of
// the notes).
double visit_share(const Config& config, const Tree& tree, NodeId node) {
  if (config.commit_temperature > 0) {
    return tree.visits(node) == 0 ? 0 : 1 + static_cast<double>(tree.child_count(node));
  }
  const NodeId parent = tree.parent(node);
  for (std::uint32_t k = 0; k < tree.child_count(parent); ++k) {
    if (tree.visits(tree.first_child(parent) + k) > tree.visits(node)) return 0;
  }
  return 1;
}

// The published code's order; edge rewards of siblings differ as their R do.
auto rank_of(const Config& config, const Tree& tree, NodeId node) {
  return std::tuple(tree.q(node), visit_share(config, tree, node), tree.reward(node),
                    tree.visits(node));
}

// The last node of the chain of only children below node.
NodeId chain_end(const Tree& tree, NodeId node) {
  while (tree.child_count(node) == 1) node = tree.first_child(node);
  return node;
}

// The items of all nodes from first down to last.
std::vector<std::int32_t> chain_items(const Tree& tree, NodeId first, NodeId last) {
  std::vector<std::int32_t> tokens(tree.items(first).begin(), tree.items(first).end());
  for (NodeId node = first; node != last;) {
    node = tree.first_child(node);
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
  std::stable_sort(children.begin(), children.end(), [&](NodeId a, NodeId b) {
    return rank_of(config, tree, b) < rank_of(config, tree, a);
  });
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
  return answer_is_right(tree, committed.back());
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
  const auto drop = [&](NodeId node, std::uint64_t PairTally::*count, DropReason reason) {
    ++(tally.*count);
    tally.places.push_back({question, node, reason});
  };
  for (const NodeId node : committed.first(committed.size() - 1)) {
    if (tree.child_count(node) < 2) {
      drop(node, &PairTally::only_child, DropReason::kOnlyChild);
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
      drop(node, &PairTally::small_gap, DropReason::kSmallGap);
      continue;
    }
    if (pairs.size() >= static_cast<std::size_t>(config.most_pairs)) {
      drop(node, &PairTally::over_limit, DropReason::kOverLimit);
      continue;
    }
    pair.prefix = tree.state_items(node);
    pair.nodes = {node, siblings.winner, chain_end(tree, siblings.winner), siblings.loser,
                  chain_end(tree, siblings.loser)};
    pair.winner = chain_items(tree, pair.nodes.winner, pair.nodes.winner_end);
    pair.loser = chain_items(tree, pair.nodes.loser, pair.nodes.loser_end);
    for (NodeId at = siblings.winner;; at = tree.first_child(at)) {
      pair.sampled_winner += tree.log_prob(at);
      if (at == pair.nodes.winner_end) break;
    }
    pair.smoothing = smoothing_of(config, tree, siblings);
    const std::size_t most = std::max(pair.winner.size(), pair.loser.size());
    if (static_cast<std::int64_t>(pair.prefix.size() + most) > longest) {
      drop(node, &PairTally::too_long, DropReason::kTooLong);
      continue;
    }
    ++tally.kept;
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace tenfold::mcts_dpo
