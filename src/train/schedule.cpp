#include "train/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace tenfold::train {

bool crosses(std::uint64_t before, std::uint64_t after, std::uint64_t every) {
  return every > 0 && before / every != after / every;
}

namespace {
constexpr double kFirstAuto = 60;     // seconds until the checkpoint that tells what one costs
constexpr double kShortestAuto = 10;  // below, a cost of nearly nothing would write without pause
}  // namespace

CheckpointSchedule::CheckpointSchedule(const std::string& text, const std::string& mtbf) {
  if (text != "auto") {
    every = steps_or_time("checkpoint.every", text);
    return;
  }
  const StepsOrTime between = steps_or_time("checkpoint.mtbf", mtbf);
  if (!between.seconds) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("checkpoint.mtbf: '{}' is not a time (6h, 2h30m)", mtbf));
  }
  mtbf_s = between.seconds;
  every.seconds = kFirstAuto;
}

Due::Due(StepsOrTime every) : every_(every), since_(base::monotonic_now()) {}

Due::Due(const CheckpointSchedule& schedule)
    : every_(schedule.every), mtbf_s_(schedule.mtbf_s), since_(base::monotonic_now()) {}

bool Due::check(std::uint64_t before, std::uint64_t after) const {
  if (every_.steps) return crosses(before, after, *every_.steps);
  return every_.seconds && base::monotonic_now() - since_ >= *every_.seconds;
}

void Due::cost(double seconds) {
  if (mtbf_s_) every_.seconds = std::max(kShortestAuto, std::sqrt(2 * seconds * *mtbf_s_));
}

void Due::reset() {
  since_ = base::monotonic_now();
}

}  // namespace tenfold::train
