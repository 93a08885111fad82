#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/error.hpp"
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

TEST(CheckpointSchedule, AutoFollowsYoungsFormula) {
  Due due(CheckpointSchedule("auto", "6h"));
  EXPECT_EQ(due.every().seconds, 60.0) << "the first one tells what a checkpoint costs";
  due.cost(30);  // engineering notes, section e: 30 s and 6 h give 19 minutes
  EXPECT_NEAR(*due.every().seconds, 1138.4, 0.1);
  due.cost(5);
  EXPECT_NEAR(*due.every().seconds, 464.8, 0.1);
  due.cost(1e-9);
  EXPECT_EQ(due.every().seconds, 10.0) << "never without pause";
}

TEST(CheckpointSchedule, CostLeavesAFixedScheduleAlone) {
  Due due(CheckpointSchedule("5m", "6h"));
  due.cost(30);
  EXPECT_EQ(due.every().seconds, 300.0);
  EXPECT_EQ(CheckpointSchedule("20000", "6h").every.steps, 20000U);
}

TEST(CheckpointSchedule, BadTextsAreUsageErrors) {
  EXPECT_THROW(CheckpointSchedule("soon", "6h"), base::Error);
  EXPECT_THROW(CheckpointSchedule("auto", "6"), base::Error) << "a number of steps is no time";
}

}  // namespace
}  // namespace tenfold::train
