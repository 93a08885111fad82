#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "train/schedule.hpp"

namespace tenfold::train {
namespace {

TEST(Crosses, IsTrueWhenAMultipleLiesBehindBeforeAndUpToAfter) {
  for (std::uint64_t every = 1; every <= 9; ++every) {
    for (std::uint64_t before = 0; before <= 30; ++before) {
      for (std::uint64_t after = before; after <= before + 20; ++after) {
        bool expected = false;
        for (std::uint64_t step = before + 1; step <= after; ++step) expected |= step % every == 0;
        EXPECT_EQ(crosses(before, after, every), expected)
            << "(" << before << ", " << after << "], every " << every;
      }
    }
  }
}

TEST(Crosses, EveryZeroIsNever) {
  EXPECT_FALSE(crosses(0, 1'000'000, 0));
}

TEST(Crosses, LargeStepsDoNotWrap) {
  constexpr std::uint64_t kFar = 1ULL << 63;
  EXPECT_TRUE(crosses(kFar - 1, kFar, 1024));
  EXPECT_FALSE(crosses(kFar, kFar + 1023, 1024));
}

TEST(Due, CountsSteps) {
  const Due due({.steps = 10, .seconds = {}});
  EXPECT_FALSE(due.check(0, 9));
  EXPECT_TRUE(due.check(9, 10));
  EXPECT_TRUE(due.check(9, 35));
  EXPECT_FALSE(due.check(10, 19));
}

TEST(Due, CountsTimeFromTheLastReset) {
  constexpr double kPeriod = 0.02;
  const double made = base::monotonic_now();
  Due due({.steps = {}, .seconds = kPeriod});
  const bool early = due.check(0, 1000);
  // A busy machine may let the period pass between two lines; only then may it have been due.
  EXPECT_TRUE(!early || base::monotonic_now() - made >= kPeriod);
  while (!due.check(0, 1)) ASSERT_LT(base::monotonic_now() - made, 10.0);
  EXPECT_GE(base::monotonic_now() - made, kPeriod);
  EXPECT_TRUE(due.check(0, 1)) << "due until it is reset";
  const double reset = base::monotonic_now();
  due.reset();
  const bool after = due.check(0, 1);
  EXPECT_TRUE(!after || base::monotonic_now() - reset >= kPeriod);
}

TEST(Due, WithoutAPeriodIsNever) {
  EXPECT_FALSE(Due({}).check(0, 1'000'000));
}

}  // namespace
}  // namespace tenfold::train
