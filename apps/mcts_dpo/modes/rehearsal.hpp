// Lessons that take as much memory as a run's can: what --dry-run learns from.
#pragma once

#include <cstdint>
#include <vector>

#include "mcts_dpo/config.hpp"
#include "mcts_dpo/learning/preference_pair.hpp"

namespace tenfold::mcts_dpo {

/// A batch of pairs, each of a question of its own: behind a prompt of so many tokens, siblings at
/// the end of the longest path (mcts-dpo), or two whole solutions (instance-dpo). Nothing is longer
/// than positions.
std::vector<PreferencePair> longest_pairs(const Config& config, std::int64_t prompt,
                                          std::int64_t positions);
/// A batch of the longest solutions behind such a prompt.
std::vector<Imitation> longest_sequences(const Config& config, std::int64_t prompt,
                                         std::int64_t positions);
/// The batch of the longest of sequences; fewer where there are no more.
std::vector<Imitation> longest_of(std::vector<Imitation> sequences, std::int64_t batch);

}  // namespace tenfold::mcts_dpo
