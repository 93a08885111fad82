// What every mode needs: the policy, its prompts, what decodes, and the questions to be measured
// by.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "mcts_dpo/evaluation.hpp"
#include "mcts_dpo/learning/policy_learner.hpp"
#include "mcts_dpo/meeting.hpp"
#include "mcts_dpo/policy.hpp"
#include "mcts_dpo/question_sets.hpp"

namespace tenfold::mcts_dpo {

struct Workshop {
  /// Not collective. Throws what Policy, Prompts and SymbolicChecker::require throw; Code::kUsage
  /// for a cache larger than memory, Code::kIo where folders to export to cannot be made.
  Workshop(const Config& config, train::RunContext& context);

  Policy policy;
  Prompts prompts;
  Decoder decoder;
  SolutionSampler sampler;
  TrainFile train_file;
  std::vector<Question> evaluation;
  bool worked = false;               ///< a step was made
  std::unique_ptr<Meeting> meeting;  ///< of ranks that evaluate; made by the first evaluation

  /// Collective: the policy's greedy accuracy, as metrics at this step.
  Accuracy evaluate(train::RunContext& context);
  /// What a PolicyLearner moves.
  Learned learned() const;
  /// Collective, at every step: at the first one throws Code::kUsage where export_policy would.
  void begin_step(const Config& config, const train::RunContext& context);
  /// Whether a question leaves room for a step: a quarter of the longest, at least one token.
  bool fits(const Config& config, const Question& question) const;
  /// Throws Code::kUsage where the decoder's cache may be too small for samples of a question.
  void require_room(const Config& config, std::span<const Question> questions,
                    std::int64_t samples) const;
  /// The same for searches of questions.
  void require_search_room(const Config& config, std::span<const Question> questions) const;
  /// Collective: rank 0 writes the policy to --export and --export-adapters, where asked for. What
  /// a run that had ended before wrote there stays.
  void export_policy(const Config& config, const train::RunContext& context) const;
  /// The same, for rank 0 alone. Throws Code::kIo.
  void write_exports(const Config& config) const;
};

LearnerOptions learner_options(const Config& config);
PreferenceOptions preference_options(const Config& config);
/// The model's shape and what it started from: must be equal for a checkpoint to fit.
void name_policy(store::StateRegistry& registry, const Config& config, const Policy& policy);

}  // namespace tenfold::mcts_dpo
