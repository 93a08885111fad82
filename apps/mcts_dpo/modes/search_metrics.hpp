// What rounds of search cost and left out, as metrics; and what a checkpoint's searches must have
// in common with those that go on.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
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
/// Collective: what came to all ranks' counts since the last call, in which this rank's were
/// before; before becomes now.
CollectorCounts shared_work(const comm::Communicator& world, CollectorCounts& before,
                            const CollectorCounts& now);
/// Rows of what came since the rows before: they add up, also where a run was killed and goes on.
void record_work(train::Metrics& metrics, std::uint64_t step, const CollectorCounts& work);

/// Names what searches are a function of and half-searched trees cannot change, where it is not the
/// default: older checkpoints stay readable.
void name_search(store::StateRegistry& registry, const Config& config);

}  // namespace tenfold::mcts_dpo
