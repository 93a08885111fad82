#include "a3c/learning/schedules.hpp"

#include <algorithm>
#include <cmath>

#include "base/philox.hpp"

namespace tenfold::a3c {

double learning_rate(const Config& config, std::int64_t decisions) {
  if (config.lr_anneal == "none") return config.lr;
  const double done = static_cast<double>(decisions) / static_cast<double>(config.total_steps);
  return config.lr * std::max(0.0, 1 - done);
}

double first_learning_rate(const Config& config, std::uint32_t seed) {
  if (config.lr_range.empty()) return config.lr;
  const RateRange range = rate_range(config.lr_range);
  base::Stream stream(seed, base::Purpose::kRunTraits, 0, 0);
  return range.low * std::pow(range.high / range.low, stream.uniform());
}

double exploration(const Config& config, double last, std::int64_t decisions) {
  if (config.epsilon_anneal == 0) return last;
  const double done =
      std::min(1.0, static_cast<double>(decisions) / static_cast<double>(config.epsilon_anneal));
  return 1 + (last - 1) * done;
}

}  // namespace tenfold::a3c
