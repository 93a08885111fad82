// What rounds of search cost and left out, as metrics; and what a checkpoint's searches must have
// in common with those that go on.
#pragma once

#include <cstdint>

#include "mcts_dpo/modes/collector.hpp"
#include "mcts_dpo/modes/lessons.hpp"
#include "mcts_dpo/modes/searched_trees.hpp"
#include "store/state_registry.hpp"
#include "train/metrics.hpp"

namespace tenfold::mcts_dpo {

void declare_search_metrics(train::Metrics& metrics);
/// Rows of a finished round.
void record_tally(train::Metrics& metrics, std::uint64_t step, const StepTally& tally);
/// The same, and what became of the places for pairs.
void record_lessons(train::Metrics& metrics, std::uint64_t step, const Lessons& lessons,
                    const LabelTruth& truth);
/// Adds what came to this rank's counts since the last call, in which they were before; before
/// becomes now.
void add_work(train::Metrics& metrics, CollectorCounts& before, const CollectorCounts& now);

/// Names what searches are a function of and half-searched trees cannot change, where it is not the
/// default: older checkpoints stay readable.
void name_search(store::StateRegistry& registry, const Config& config);

}  // namespace tenfold::mcts_dpo
