// Pairs of siblings along the path that a search committed to (section 3.2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mcts_dpo/config.hpp"
#include "mcts_dpo/learning/preference_pair.hpp"
#include "search/tree.hpp"

namespace tenfold::mcts_dpo {

/// What became of the places where a pair could have been; of trees, the first two.
struct PairTally {
  std::uint64_t trees = 0, wrong_path = 0;
  std::uint64_t kept = 0, only_child = 0, small_gap = 0, over_limit = 0, too_long = 0;
  PairTally& operator+=(const PairTally& other);
};

/// At each depth of the committed path, among the children of its node: the winner has the highest
/// Q (then prior, edge reward, R, N); the loser is the worst, the second, or any other. A child
/// with a chain of only children below goes with it. The smoothing is none, constant, or by visits.
/// question names the pairs. The draw of a random loser depends on seed, round and question.
std::vector<PreferencePair> pairs_of(const Config& config, const search::Tree& tree,
                                     std::span<const search::NodeId> committed,
                                     std::int64_t question, std::uint32_t seed, std::uint64_t round,
                                     std::int64_t longest, PairTally& tally);

/// Whether the committed path ends in a right answer.
bool right_path(const search::Tree& tree, std::span<const search::NodeId> committed);

}  // namespace tenfold::mcts_dpo
