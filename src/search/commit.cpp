#include "search/commit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"

namespace tenfold::search {

namespace {

double sign_at(const Tree& tree, NodeId root, const SearchOptions& options) {
  return options.two_players && tree.depth(root) % 2 == 1 ? -1 : 1;
}

// N (1 + g) of means over so many searches, times the square of their number.
std::uint64_t weighed(std::uint64_t visits, std::uint64_t spread, std::uint64_t searches = 1) {
  return visits * (searches + spread);
}

NodeId best_child(const Tree& tree, NodeId root, double sign, std::uint64_t searches = 1) {
  const auto key = [&](NodeId child) {
    return std::tuple(weighed(tree.visits(child), tree.visit_spread(child), searches),
                      sign * tree.q(child), sign * tree.v(child));
  };
  const NodeId first = tree.first_child(root);
  NodeId best = first;
  for (NodeId child = first + 1; child < first + tree.child_count(root); ++child) {
    if (key(child) > key(best)) best = child;
  }
  return best;
}

NodeId drawn_child(const Tree& tree, NodeId root, double sign, double tau, base::Stream stream) {
  const NodeId first = tree.first_child(root);
  const std::uint32_t count = tree.child_count(root);
  std::vector<double> weights(count, 0);
  double largest = -std::numeric_limits<double>::infinity();
  const auto exponent = [&](NodeId child) {
    return (sign * tree.q(child) + std::log(1.0 + tree.child_count(child))) / tau;
  };
  for (std::uint32_t k = 0; k < count; ++k) {
    if (tree.visits(first + k) > 0) largest = std::max(largest, exponent(first + k));
  }
  double total = 0;
  for (std::uint32_t k = 0; k < count; ++k) {
    if (tree.visits(first + k) > 0) weights[k] = std::exp(exponent(first + k) - largest);
    total += weights[k];
  }
  double rest = total * stream.uniform();
  NodeId chosen = kNoNode;
  for (std::uint32_t k = 0; k < count; ++k) {
    if (weights[k] == 0) continue;
    chosen = first + k;  // rounding may leave a rest: the last that can be drawn takes it
    if (rest < weights[k]) break;
    rest -= weights[k];
  }
  return chosen;
}

}  // namespace

NodeId choose_child(const Tree& tree, NodeId root, const SearchOptions& options,
                    std::uint64_t tree_id, std::uint64_t searches) {
  base::require(tree.has(root, kExpanded) && tree.visits(root) > 0,
                "choose_child: a root that was not searched");
  const double sign = sign_at(tree, root, options);
  const double tau = options.temperature * std::pow(options.temperature_decay, tree.depth(root));
  // A tau whose inverse overflows draws the best by exp(Q) alone in the limit; spec: as 0.
  if (!(tau > std::numeric_limits<double>::min())) return best_child(tree, root, sign, searches);
  const auto low = static_cast<std::uint32_t>(tree_id);
  const std::uint64_t step = (tree_id >> 32) << 32 | tree.depth(root);
  return drawn_child(tree, root, sign, tau,
                     base::Stream(options.seed, base::Purpose::kTreeCommit, low, step));
}

bool choice_is_settled(const Tree& tree, NodeId root, const SearchOptions& options,
                       std::uint32_t iterations_left) {
  if (!tree.has(root, kExpanded) || tree.visits(root) == 0) return false;
  const NodeId first = tree.first_child(root);
  const NodeId best = best_child(tree, root, sign_at(tree, root, options));
  const std::uint64_t visits = tree.visits(best), spread = tree.visit_spread(best);
  // A visit of the best one may lessen its spread by 1; one of another may widen that one's by 1.
  for (NodeId child = first; child < first + tree.child_count(root); ++child) {
    if (child == best) continue;
    const std::uint64_t other_visits = tree.visits(child), other_spread = tree.visit_spread(child);
    for (std::uint64_t mine = 0; mine <= iterations_left; ++mine) {
      const std::uint64_t others = iterations_left - mine;
      const std::uint64_t least = weighed(visits + mine, spread - std::min(spread, mine));
      if (weighed(other_visits + others, other_spread + others) >= least) return false;
    }
  }
  return true;
}

}  // namespace tenfold::search
