// What a rank of this run holds: the plan, and beside it what --dry-run measured.
#pragma once

#include <string>

#include "mcts_dpo/config.hpp"
#include "mcts_dpo/policy.hpp"
#include "nn/transformer/transformer_plan.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

/// largest: the largest pass that was learned from.
nn::TrainingPlan training_plan(const Config& config, const train::RunContext& context,
                               const nn::LearningPass& largest);
/// The plan as a table. peak: bytes of the host that were measured; compared where the host is what
/// computes. A warning where they differ by more than 15 % and the plan is large enough (64 MiB) to
/// be more than what any process holds.
std::string memory_text(const nn::TransformerConfig& model, const nn::TrainingPlan& plan,
                        const train::RunContext& context, double peak);

}  // namespace tenfold::mcts_dpo
