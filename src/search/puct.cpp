#include "search/puct.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace tenfold::search {

namespace {

// What is the same for all children of a node.
struct Frame {
  double sign;         ///< -1 where the second player chooses
  double exploration;  ///< c sqrt(N) of PUCT, c sqrt(ln N) factor of UCB1
};

Frame frame_of(const Tree& tree, NodeId parent, const SearchOptions& options,
               std::span<const std::uint32_t> under_way) {
  double visits = tree.visits(parent);
  if (!under_way.empty()) {
    const double others = under_way[parent] - 1.0;  // the asking path does not count for itself
    visits += options.virtual_mode == Virtual::kLoss ? others * options.virtual_visits : others;
  }
  const double sign = options.two_players && tree.depth(parent) % 2 == 1 ? -1 : 1;
  if (options.selection == Selection::kUcb1) return {sign, std::log(std::max(1.0, visits))};
  const double floor = options.official ? 0 : 1;
  return {sign, options.c_puct * std::sqrt(std::max(floor, visits))};
}

double score(const Tree& tree, NodeId child, const SearchOptions& options, const Frame& frame,
             std::span<const std::uint32_t> under_way) {
  double visits = tree.visits(child);
  double q = frame.sign * tree.q(child);
  if (!under_way.empty() && under_way[child] > 0) {
    const double paths = under_way[child];
    if (options.virtual_mode == Virtual::kLoss) {
      const double lost = paths * options.virtual_visits;
      const double counted = std::max(1.0, visits);
      q = (counted * q - lost * options.virtual_loss) / (counted + lost);
      visits += lost;
    } else {
      visits += paths;
    }
  }
  if (options.selection == Selection::kUcb1) {
    if (visits == 0) return std::numeric_limits<double>::infinity();
    return q + options.c_puct * std::sqrt(frame.exploration / visits);
  }
  return q + frame.exploration * tree.prior(child) / (1 + visits);
}

}  // namespace

double selection_score(const Tree& tree, NodeId child, const SearchOptions& options,
                       std::span<const std::uint32_t> under_way) {
  return score(tree, child, options, frame_of(tree, tree.parent(child), options, under_way),
               under_way);
}

NodeId select_child(const Tree& tree, NodeId parent, const SearchOptions& options,
                    std::span<const std::uint32_t> under_way) {
  const Frame frame = frame_of(tree, parent, options, under_way);
  const NodeId first = tree.first_child(parent);
  const NodeId end = first + tree.child_count(parent);
  NodeId best = first;
  double highest = score(tree, first, options, frame, under_way);
  for (NodeId child = first + 1; child < end; ++child) {
    const double mine = score(tree, child, options, frame, under_way);
    const bool tie = mine == highest && !options.official && tree.prior(child) > tree.prior(best);
    if (mine > highest || tie) {
      best = child;
      highest = mine;
    }
  }
  return best;
}

void backup(Tree& tree, std::span<const NodeId> path, const SearchOptions& options) {
  const std::uint32_t least = options.count_unvisited ? 1 : 0;
  for (std::size_t k = path.size(); k-- > 0;) {
    const NodeId node = path[k];
    if (k + 1 < path.size()) {
      double sum = 0, weight = 0;
      const NodeId first = tree.first_child(node);
      const NodeId end = first + tree.child_count(node);
      for (NodeId child = first; child < end; ++child) {
        const double counts = std::max(least, tree.visits(child));
        sum += counts * tree.q(child);
        weight += counts;
      }
      tree.set_v(node, sum / weight);
    }
    tree.add_visit(node);
    tree.set_q(node, tree.edge_reward(node, options.edge_reward) + options.gamma * tree.v(node));
  }
}

}  // namespace tenfold::search
