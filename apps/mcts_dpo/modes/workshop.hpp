// What every mode needs: the policy, its prompts, what decodes, and the questions to be measured
// by.
#pragma once

#include <memory>
#include <vector>

#include "mcts_dpo/evaluation.hpp"
#include "mcts_dpo/learning/policy_learner.hpp"
#include "mcts_dpo/policy.hpp"

namespace tenfold::mcts_dpo {

struct Workshop {
  /// Not collective. Throws what Policy and Prompts throw.
  Workshop(const Config& config, train::RunContext& context);

  Policy policy;
  Prompts prompts;
  Decoder decoder;
  SolutionSampler sampler;
  std::vector<Question> evaluation;

  /// Collective: the policy's greedy accuracy, as metrics at this step.
  Accuracy evaluate(train::RunContext& context);
  /// What a PolicyLearner moves.
  Learned learned() const;
  /// Collective: rank 0 writes the policy to --export and --export-adapters, where asked for.
  void export_policy(const Config& config, const train::RunContext& context) const;
};

LearnerOptions learner_options(const Config& config);
PreferenceOptions preference_options(const Config& config);
/// The model's shape and what it started from: must be equal for a checkpoint to fit.
void name_policy(store::StateRegistry& registry, const Config& config, const Policy& policy);

}  // namespace tenfold::mcts_dpo
