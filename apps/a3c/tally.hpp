// What happened between two meetings of the ranks, summed up on one rank.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tenfold::a3c {

/// Updates of others between reading the parameters and applying the gradient: 0, 1, 2, 3-4, 5-8,
/// ... 65 and more.
class StalenessHistogram {
 public:
  static constexpr std::size_t kBins = 9;
  static std::size_t bin(std::int64_t staleness);
  static std::string label(std::size_t bin);
  void add(std::int64_t staleness);
  std::array<double, kBins>& counts() { return counts_; }
  double sum() const { return sum_; }

 private:
  std::array<double, kBins> counts_{};
  double sum_ = 0;
};

struct Tally {
  struct Episode {
    double episode_return = 0, length = 0;
  };
  std::vector<Episode> episodes;
  double decisions = 0, rollouts = 0, updates = 0;
  double skipped = 0;        ///< gradients that were left out
  double squared_error = 0;  ///< of V or Q against the return, sum over decisions
  double values = 0;         ///< V, or Q of the action taken
  double entropy = 0;
  double gradient_norm = 0;  ///< sum over updates, before clipping
  double clipped = 0;        ///< updates
  double unstable = 0;       ///< episodes that a task cut for numbers that are none
  double epsilon = 0;        ///< sum over rollouts
  double learning_rate = 0;  ///< sum over updates
  StalenessHistogram staleness;
};

}  // namespace tenfold::a3c
