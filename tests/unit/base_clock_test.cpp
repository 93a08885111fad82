#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include "base/clock.hpp"

namespace tenfold::base {
namespace {

TEST(Clock, WallIsSecondsSinceTheEpoch) {
  const auto before = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_NEAR(wall_now(), std::chrono::duration<double>(before).count(), 5);
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TEST(Clock, MonotonicIsTheSteadyClockInSeconds) {
  constexpr double kRounding = 1e-6;
  const double before = steady_seconds();
  const double now = monotonic_now();
  EXPECT_GE(now, before - kRounding);
  EXPECT_LE(now, steady_seconds() + kRounding);
}

TEST(Clock, StopwatchCountsFromItsStart) {
  const double before = monotonic_now();
  Stopwatch watch;
  const double started = monotonic_now();
  while (monotonic_now() - started < 0.005) {
  }
  const double shown = watch.seconds();
  EXPECT_GE(shown, 0.005);
  EXPECT_LE(shown, monotonic_now() - before);
  const double again = monotonic_now();
  watch.restart();
  const double restarted = watch.seconds();
  EXPECT_LE(restarted, monotonic_now() - again);
}

TEST(Clock, CpuTimeGrowsWithWorkAndNotBeyondTheTimeThatPassed) {
  const double cpu = cpu_now(), wall = monotonic_now();
  volatile double sink = 0;
  while (cpu_now() - cpu < 0.005) sink = sink + 1;
  EXPECT_GE(monotonic_now() - wall, 0.0049);
}

TEST(Memory, PeakCountsPagesThatWereTouched) {
  const double before = peak_resident_bytes();
  EXPECT_GT(before, 1e6);
  std::vector<char> block(64U << 20, 1);
  EXPECT_GE(peak_resident_bytes(), before);
  EXPECT_GT(peak_resident_bytes(), static_cast<double>(block.size()));
}

TEST(Memory, AvailableIsPositiveAndNoMoreThanTheMachineHas) {
  const double machine =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  EXPECT_GT(available_memory_bytes(), 1e6);
  EXPECT_LE(available_memory_bytes(), machine);
}

}  // namespace
}  // namespace tenfold::base
