#include "train/schedule.hpp"

#include "base/clock.hpp"

namespace tenfold::train {

bool crosses(std::uint64_t before, std::uint64_t after, std::uint64_t every) {
  return every > 0 && before / every != after / every;
}

Due::Due(StepsOrTime every) : every_(every), since_(base::monotonic_now()) {}

bool Due::check(std::uint64_t before, std::uint64_t after) const {
  if (every_.steps) return crosses(before, after, *every_.steps);
  return every_.seconds && base::monotonic_now() - since_ >= *every_.seconds;
}

void Due::reset() {
  since_ = base::monotonic_now();
}

}  // namespace tenfold::train
