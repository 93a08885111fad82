// Pairs of siblings along the path that a search committed to (section 3.2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mcts_dpo/config.hpp"
#include "mcts_dpo/learning/preference_pair.hpp"
#include "search/tree.hpp"

namespace tenfold::mcts_dpo {

/// Why a node of the committed path gave no pair.
enum class DropReason : std::uint8_t {
  kOnlyChild = 0,
  kSmallGap = 1,
  kOverLimit = 2,
  kTooLong = 3
};
struct DroppedPlace {
  std::int64_t question = 0;
  search::NodeId node = 0;
  DropReason reason = DropReason::kOnlyChild;
};

/// What became of the places where a pair could have been; of trees, the first two.
struct PairTally {
  std::uint64_t trees = 0, wrong_path = 0;
  std::uint64_t kept = 0, only_child = 0, small_gap = 0, over_limit = 0, too_long = 0;
  std::vector<DroppedPlace> places;  ///< of those after kept, each
  PairTally& operator+=(const PairTally& other);
};

inline PairTally& PairTally::operator+=(const PairTally& other) {
  trees += other.trees;
  wrong_path += other.wrong_path;
  kept += other.kept;
  only_child += other.only_child;
  small_gap += other.small_gap;
  over_limit += other.over_limit;
  too_long += other.too_long;
  places.insert(places.end(), other.places.begin(), other.places.end());
  return *this;
}

/// At each depth of the committed path, among the children of its node: the winner has the highest
/// Q (then its share of the visits, edge reward, R, N); the loser is the worst, the second, or any
/// other. A child with a chain of only children below goes with it. The smoothing is none,
/// constant, or by visits. question names the pairs. The draw of a random loser depends on seed,
/// round and question.
std::vector<PreferencePair> pairs_of(const Config& config, const search::Tree& tree,
                                     std::span<const search::NodeId> committed,
                                     std::int64_t question, std::uint32_t seed, std::uint64_t round,
                                     std::int64_t longest, PairTally& tally);

/// Whether the committed path ends in a right answer.
bool right_path(const search::Tree& tree, std::span<const search::NodeId> committed);

}  // namespace tenfold::mcts_dpo
