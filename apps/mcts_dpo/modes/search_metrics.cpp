#include "mcts_dpo/modes/search_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "mcts_dpo/search/search_rules.hpp"

namespace tenfold::mcts_dpo {

void declare_search_metrics(train::Metrics& metrics) {
  metrics.declare_rank0("search/steps", "steps", "that the round's trees hold");
  metrics.declare_rank0("search/truncated", "", "share of them cut at a cap", "min");
  metrics.declare_rank0(
      "search/no_opinion", "steps",
      "without an opinion of their own, too long or no verdict: they have their parent's", "min");
  metrics.declare_rank0("search/evictions", "branches",
                        "whose keys and values made room for others and may have to be read again",
                        "min");
  metrics.declare_rank0("search/similar", "samples", "dropped by --dedup-similarity");
  metrics.declare_rank0("search/duplicates", "samples", "of the same tokens as a sibling");
}

void record_tally(train::Metrics& metrics, std::uint64_t step, const StepTally& tally) {
  const auto steps = static_cast<double>(tally.steps);
  metrics.row("search/steps", step, {steps});
  metrics.row("search/truncated", step,
              {static_cast<double>(tally.truncated) / std::max(steps, 1.0)});
  metrics.row("search/no_opinion", step, {static_cast<double>(tally.no_opinion)});
}

void record_lessons(train::Metrics& metrics, std::uint64_t step, const Lessons& lessons,
                    const LabelTruth& truth) {
  const PairTally& tally = lessons.tally;
  const auto row = [&](const char* name, std::uint64_t count) {
    metrics.row(name, step, {static_cast<double>(count)});
  };
  record_tally(metrics, step, lessons.steps);
  metrics.row("pairs/smoothing", step, {lessons.mean_smoothing});
  if (!std::isnan(truth.winners_right)) {
    metrics.row("pairs/winners_right", step, {truth.winners_right});
    metrics.row("pairs/losers_wrong", step, {truth.losers_wrong});
  }
  row("pairs/wrong_path", tally.wrong_path);
  row("pairs/only_child", tally.only_child);
  row("pairs/small_gap", tally.small_gap);
  row("pairs/too_long", tally.too_long);
  row("pairs/over_limit", tally.over_limit);
}

CollectorCounts shared_work(const comm::Communicator& world, CollectorCounts& before,
                            const CollectorCounts& now) {
  std::vector<std::int64_t> sums{now.evictions - before.evictions,
                                 now.duplicates - before.duplicates, now.similar - before.similar};
  before = now;
  world.all_reduce(std::span(sums), comm::Op::kSum);
  return {sums[0], sums[1], sums[2]};
}

void record_work(train::Metrics& metrics, std::uint64_t step, const CollectorCounts& work) {
  metrics.row("search/evictions", step, {static_cast<double>(work.evictions)});
  metrics.row("search/duplicates", step, {static_cast<double>(work.duplicates)});
  metrics.row("search/similar", step, {static_cast<double>(work.similar)});
}

void name_search(store::StateRegistry& registry, const Config& config) {
  if (config.virtual_mode != "none") {
    registry.identity("paths", fmt::format("{} {}", config.virtual_mode, config.paths_in_flight));
  }
  if (config.root_searches > 1) {
    registry.identity("searches", fmt::format("{} a question", config.root_searches));
  }
  if (outcomes_hidden(config)) registry.identity("outcomes", config.outcomes);
}

}  // namespace tenfold::mcts_dpo
