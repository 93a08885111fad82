#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace tenfold::base {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(Error, SaysWhatAndThenWhatToDo) {
  const Error error(Code::kIo, "cannot write a.h5", "Free space");
  EXPECT_STREQ(error.what(), "cannot write a.h5. Free space");
  EXPECT_EQ(error.code(), Code::kIo);
  EXPECT_THAT(error.where(), MatchesRegex("base_error_test\\.cpp:[0-9]+"));
  EXPECT_STREQ(Error(Code::kIo, "cannot write a.h5").what(), "cannot write a.h5");
}

TEST(Error, CodesAreTheExitCodesThatUsersWereTold) {
  EXPECT_EQ(static_cast<int>(Code::kUsage), 2);
  EXPECT_EQ(static_cast<int>(Code::kData), 3);
  EXPECT_EQ(static_cast<int>(Code::kIo), 4);
  EXPECT_EQ(static_cast<int>(Code::kNumeric), 5);
  EXPECT_EQ(static_cast<int>(Code::kCheckpoint), 6);
  EXPECT_EQ(static_cast<int>(Code::kStopped), 75);
  EXPECT_EQ(static_cast<int>(Code::kWatchdog), 124);
}

TEST(Require, ThrowsABugOnlyWhenItsConditionFails) {
  EXPECT_NO_THROW(require(true, "fine"));
  try {
    require(false, "shards add up");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kBug);
    EXPECT_THAT(error.message(), HasSubstr("shards add up"));
    EXPECT_THAT(error.where(), HasSubstr("base_error_test.cpp"));
  }
}

}  // namespace
}  // namespace tenfold::base
