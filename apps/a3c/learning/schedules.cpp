#include "a3c/learning/schedules.hpp"

#include <algorithm>

namespace tenfold::a3c {

double learning_rate(const Config& config, std::int64_t decisions) {
  if (config.lr_anneal == "none") return config.lr;
  const double done = static_cast<double>(decisions) / static_cast<double>(config.total_steps);
  return config.lr * std::max(0.0, 1 - done);
}

double exploration(const Config& config, double last, std::int64_t decisions) {
  if (config.epsilon_anneal == 0) return last;
  const double done =
      std::min(1.0, static_cast<double>(decisions) / static_cast<double>(config.epsilon_anneal));
  return 1 + (last - 1) * done;
}

}  // namespace tenfold::a3c
