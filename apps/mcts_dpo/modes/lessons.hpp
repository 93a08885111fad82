// The second half of a round: from what was collected to what the policy learns from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mcts_dpo/generation/prompts.hpp"
#include "mcts_dpo/learning/preference_pair.hpp"
#include "mcts_dpo/modes/collector.hpp"
#include "mcts_dpo/modes/searched_trees.hpp"
#include "mcts_dpo/search/tree_pairs.hpp"

namespace tenfold::mcts_dpo {

/// What a round gave: pairs, or sequences, in order of questions.
struct Lessons {
  std::vector<PreferencePair> pairs;
  std::vector<Imitation> sequences;
  PairTally tally;  ///< of searches
  StepTally steps;  ///< likewise
  /// Of searches: share of trees whose committed solution is right; of samples: share of right
  /// ones.
  double success = 0;
  /// No solution that was found is wrong: of a tree, none of its ends, whether committed to or not.
  bool all_right = true;
  double mean_smoothing = 0;
  std::size_t size() const { return pairs.size() + sequences.size(); }
};

/// Each throws Code::kCheckpoint for damaged records.
Lessons lessons_of_trees(const Config& config, const Round& round,
                         std::span<const SearchedTree> trees, std::uint32_t seed,
                         std::int64_t longest);
/// Shares of pairs whose winner is right in every line, and whose loser is not; NaN where the task
/// does not tell.
struct LabelTruth {
  double winners_right = 0, losers_wrong = 0;
};
LabelTruth label_truth(const Config& config, const Round& round, const Lessons& lessons,
                       const Prompts& prompts);
/// A right and a wrong solution of each question that has both.
Lessons lessons_of_instances(const Config& config, const Round& round, const RoundRecords& records,
                             const Prompts& prompts);
/// All different right solutions.
Lessons lessons_of_experts(const Round& round, const RoundRecords& records, const Prompts& prompts);
/// Solutions of the teacher: as many as the round has questions, other ones every round.
Lessons lessons_of_teacher(const std::vector<Imitation>& teacher, std::uint64_t round,
                           std::size_t count, std::uint32_t seed);

/// Question, solution and end as a sequence.
Imitation imitation_of(const Prompts& prompts, const Question& question);

/// Which lessons each update of a round takes: passes over all, each in an order of its own that
/// keeps lessons of one question together (for preferences; a sequence is a question of its own),
/// cut into batches.
std::vector<std::vector<std::size_t>> plan_updates(const Config& config, const Lessons& lessons,
                                                   std::uint32_t seed, std::uint64_t round);

}  // namespace tenfold::mcts_dpo
