#include "mcts_dpo/modes/search_pace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/text.hpp"

namespace tenfold::mcts_dpo {

namespace {

constexpr double kLineSeconds = 10, kTellSeconds = 1;

}  // namespace

std::string pace_line(const PaceCounts& counts, double occupancy, double seconds) {
  const auto rate = [seconds](std::int64_t count) {
    const double value = static_cast<double>(count) / std::max(seconds, 1e-9);
    return value < 100 ? fmt::format("{:.3g}", value) : base::human_count(value);
  };
  const auto left = static_cast<double>(counts.trees - counts.trees_done);
  const std::string eta =
      counts.trees_here == 0
          ? "?"
          : base::human_duration(left * seconds / static_cast<double>(counts.trees_here));
  return fmt::format(
      "search: {} of {} trees  {} children/s  {} tokens/s  batch {:.0f} % full  eta {}",
      counts.trees_done, counts.trees, rate(counts.children), rate(counts.tokens), 100 * occupancy,
      eta);
}

void SearchPace::begin(std::int64_t trees, std::int64_t done) {
  for (std::size_t which = 0; which < kCounters; ++which) counters_.set(which, 0);
  trees_ = trees;
  before_ = done;
  children_ = tokens_ = 0;
  begun_ = told_ = spoke_ = base::monotonic_now();
}

void SearchPace::pulse(std::int64_t children, std::int64_t tokens, double occupancy) {
  const double now = base::monotonic_now();
  if (now - told_ < kTellSeconds) return;
  told_ = now;
  counters_.fetch_and_add(kChildren, children - children_);
  counters_.fetch_and_add(kTokens, tokens - tokens_);
  children_ = children;
  tokens_ = tokens;
  if (!speaks_ || now - spoke_ < kLineSeconds) return;
  spoke_ = now;
  const std::int64_t here = counters_.read(kDone);
  base::log_progress(
      pace_line({before_ + here, trees_, here, counters_.read(kChildren), counters_.read(kTokens)},
                occupancy, now - begun_));
}

}  // namespace tenfold::mcts_dpo
