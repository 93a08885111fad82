#include "search/options.hpp"

#include <cmath>

#include "base/error.hpp"

namespace tenfold::search {

using base::Code;
using base::Error;

namespace {

constexpr std::uint32_t kDeepest = 1U << 16;
constexpr std::uint32_t kMostIterations = 1U << 30;

void check(bool good, const char* what, const char* hint) {
  if (!good) throw Error(Code::kUsage, fmt::format("search: {}", what), hint);
}

bool at_least(double value, double least) {
  return std::isfinite(value) && value >= least;
}

}  // namespace

void SearchOptions::validate() const {
  check(iterations >= 1, "0 iterations at a root", "Give at least 1");
  check(first_root_multiplier >= 1, "the first root's iterations are multiplied by 0",
        "Give at least 1");
  check(std::uint64_t{iterations} * first_root_multiplier <= kMostIterations,
        "more than 2^30 iterations at a root", "Give fewer iterations or a smaller multiplier");
  check(depth_limit >= 1, "the depth limit is 0: no step could be made", "Give at least 1");
  check(depth_limit <= kDeepest && max_depth <= kDeepest, "a depth limit above 65536",
        "Give a smaller one");
  check(max_depth >= 1, "the largest depth is 0: no step could be made", "Give at least 1");
  check(at_least(c_puct, 0), "c_puct is negative or not finite", "Give 0 or more");
  check(at_least(gamma, 0) && gamma <= 1, "gamma is not in [0, 1]", "1 is the paper's");
  check(at_least(temperature, 0), "the temperature is negative or not finite", "Give 0 or more");
  check(at_least(temperature_decay, 0), "the temperature's decay is negative or not finite",
        "Give 0 or more");
  check(!early_stop || temperature == 0, "early stopping with a temperature above 0",
        "It looks for the best child: take temperature 0");
  check(paths_in_flight >= 1, "0 paths of a tree at a time", "Give at least 1");
  check(paths_in_flight == 1 || virtual_mode != Virtual::kNone,
        "several paths of a tree at a time without virtual visits: all would be the same path",
        "Take virtual loss or wu, or 1 path");
  check(paths_in_flight <= kMostIterations, "too many paths of a tree at a time", "Give fewer");
  check(std::isfinite(virtual_loss), "the virtual loss is not finite", "1 is usual");
  check(virtual_visits >= 1, "a path under way counts as 0 visits", "Give at least 1");
}

}  // namespace tenfold::search
