#include "mcts_dpo/modes/searched_trees.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mcts_dpo/search/answer_flags.hpp"
#include "mcts_dpo/search/search_rules.hpp"
#include "search/root_parallel.hpp"

namespace tenfold::mcts_dpo {

std::vector<SearchedTree> searched_trees(const Config& config, const RoundRecords& records,
                                         std::uint32_t seed) {
  const search::SearchOptions options = search_options(config, seed);
  const auto searches = static_cast<std::size_t>(config.root_searches);
  std::vector<SearchedTree> trees;
  for (std::size_t p = 0; p < records.questions(); p += searches) {
    std::vector<search::TreeSearch> each;
    for (std::size_t r = 0; r < searches; ++r) {
      search::ByteReader in(search::unsealed(records.finished(p + r)));
      each.push_back(search::TreeSearch::get(in, options));
    }
    search::MergedSearch merged = search::merged_search(each, options, each[0].id());
    trees.push_back({std::move(merged.tree), std::move(merged.committed)});
  }
  return trees;
}

StepTally step_tally(const Config& config, std::span<const SearchedTree> trees) {
  StepTally tally;
  for (const SearchedTree& each : trees) {
    for (search::NodeId node = 1; node < each.tree.size(); ++node) {
      ++tally.steps;
      tally.no_opinion += each.tree.has(node, kNoOpinion) ? 1 : 0;
      if (!each.tree.has(node, search::kTruncated)) continue;
      ++tally.truncated;
      const auto length =
          static_cast<std::int64_t>(each.tree.state_items(node).size() - each.tree.items(0).size());
      tally.truncated_end += length >= config.solution_tokens ? 1 : 0;
    }
  }
  return tally;
}

std::string truncation_warning(const Config& config, const StepTally& tally) {
  if (2 * tally.truncated <= tally.steps) return {};
  const bool solutions = 2 * tally.truncated_end > tally.truncated;
  const std::int64_t now = solutions ? config.solution_tokens : config.step_tokens;
  std::string hint = fmt::format("--{} {}", solutions ? "solution-tokens" : "step-tokens", 2 * now);
  if (!solutions && 2 * now > config.solution_tokens) {
    hint += fmt::format(" --solution-tokens {}", 2 * now);
  }
  return fmt::format("{:.0f} % of steps were cut at their cap of {} tokens; take {}",
                     100 * static_cast<double>(tally.truncated) / static_cast<double>(tally.steps),
                     now, hint);
}

}  // namespace tenfold::mcts_dpo
