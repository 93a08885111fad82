// What a tree search is told: the rules of selection, backup, commitment and parallel paths.
#pragma once

#include <cstdint>

namespace tenfold::search {

/// kPuct: Q + c p sqrt(N) / (1 + n). kUcb1: Q + c sqrt(ln N / n), unvisited children first.
enum class Selection { kPuct, kUcb1 };
/// r(s, a): R(s') - R(s), as the official code has it, or R(s') itself.
enum class EdgeReward { kDifference, kState };
/// Where an iteration ends: at a terminal or the depth limit, every node on the way being expanded
/// (the paper), or already at the first node that no iteration had visited (UCT with an evaluator).
enum class IterationEnd { kTerminal, kNewNode };
/// What depth_limit counts from: the tree's root, or the root of the search, which moves (the
/// official code).
enum class DepthFrom { kTreeRoot, kSearchRoot };
/// How paths that are under way look to others of the same tree: not at all (one path at a time),
/// as visits that lost (virtual loss), or as visits in the exploration term alone (WU-UCT, Liu et
/// al. 2020).
enum class Virtual { kNone, kLoss, kWatch };

struct SearchOptions {
  std::uint32_t iterations = 5;             ///< K at every root of the search
  std::uint32_t first_root_multiplier = 1;  ///< K times this at the tree's root (official: 4)
  std::uint32_t depth_limit = 4;            ///< a node that deep is a leaf
  DepthFrom depth_from = DepthFrom::kTreeRoot;
  std::uint32_t max_depth = 1024;  ///< the cap that holds with kSearchRoot
  std::uint32_t commits = 0;       ///< end after so many committed steps; 0: at a leaf
  Selection selection = Selection::kPuct;
  IterationEnd iteration_end = IterationEnd::kTerminal;
  EdgeReward edge_reward = EdgeReward::kDifference;
  double c_puct = 1;
  double gamma = 1;
  /// --compat official: the root of the search counts every iteration twice and begins at 1, no
  /// floor of 1 under the square root, ties go to the first child.
  bool official = false;
  bool count_unvisited = true;   ///< children that were never visited count once in V
  bool two_players = false;      ///< at odd depths the lowest Q is best; rewards are the first's
  double temperature = 0;        ///< of the choice of a step; 0: the best
  double temperature_decay = 1;  ///< times this per depth
  bool early_stop =
      false;  ///< end a root when no other child can become the best of its iterations
  /// An expansion without children makes its node a dead end (a leaf); else it is an error.
  bool empty_is_terminal = false;
  Virtual virtual_mode = Virtual::kNone;
  std::uint32_t paths_in_flight = 1;  ///< of one tree; above 1 only with a virtual mode
  double virtual_loss = 1;            ///< kLoss: a path under way counts as visits of value -this
  std::uint32_t virtual_visits = 1;   ///< kLoss: and as so many visits
  std::uint32_t seed = 0;             ///< of the choices at temperature > 0

  /// Throws Code::kUsage naming the field.
  void validate() const;
};

}  // namespace tenfold::search
