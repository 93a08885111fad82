#include "mcts_dpo/modes/search_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mcts_dpo/search/search_rules.hpp"

namespace tenfold::mcts_dpo {

void declare_search_metrics(train::Metrics& metrics) {
  metrics.declare({"search/steps", "steps", "that the round's trees hold", "rank0", "", 1});
  metrics.declare({"search/truncated", "", "share of them cut at a cap", "rank0", "min", 1});
  metrics.declare({"search/no_opinion", "steps",
                   "whose self-evaluation was too long for the model: they have their parent's",
                   "rank0", "min", 1});
  metrics.declare({"search/evictions", "branches",
                   "whose keys and values made room for others and may have to be read again",
                   "sum", "min", 1});
  metrics.declare({"search/similar", "samples", "dropped by --dedup-similarity", "sum", "", 1});
  metrics.declare(
      {"search/duplicates", "samples", "of the same tokens as a sibling", "sum", "", 1});
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

void add_work(train::Metrics& metrics, CollectorCounts& before, const CollectorCounts& now) {
  const auto add = [&](const char* name, std::int64_t earlier, std::int64_t count) {
    metrics.add(name, static_cast<double>(count - earlier));
  };
  add("search/evictions", before.evictions, now.evictions);
  add("search/duplicates", before.duplicates, now.duplicates);
  add("search/similar", before.similar, now.similar);
  before = now;
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
