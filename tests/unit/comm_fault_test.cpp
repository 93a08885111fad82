// The text of TENFOLD_FAULT, and at which passage a fault happens. No MPI is started.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/error.hpp"
#include "comm/fault.hpp"

namespace tenfold::comm {
namespace {

using base::Code;
using base::Error;
using testing::HasSubstr;
using testing::Not;

class FaultTest : public testing::Test {
 protected:
  void TearDown() override {
    ::unsetenv("TENFOLD_FAULT");
    configure_faults(0);
  }

  static void configure(const std::string& text, int rank = 0) {
    ::setenv("TENFOLD_FAULT", text.c_str(), 1);
    configure_faults(rank);
  }

  static void expect_refused(const std::string& text, const std::string& why) {
    try {
      configure(text);
      ADD_FAILURE() << "taken: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUsage);
      EXPECT_THAT(error.message(), HasSubstr("TENFOLD_FAULT"));
      EXPECT_THAT(error.message(), HasSubstr(why));
      EXPECT_THAT(error.hint(), HasSubstr("kind:rank=R:at=POINT:n=K"));
      EXPECT_THAT(error.message(), Not(HasSubstr("\x1b")));
    }
  }

  // The first of ten passages that throws, 0 when none does.
  static int first_failing_passage(std::string_view point) {
    int first = 0;
    for (int passage = 1; passage <= 10; ++passage) {
      try {
        fault_point(point);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kIo);
        EXPECT_EQ(first, 0) << "a fault happens once";
        if (first == 0) first = passage;
      }
    }
    return first;
  }
};

TEST_F(FaultTest, NothingHappensWhenNothingIsAskedFor) {
  ::unsetenv("TENFOLD_FAULT");
  configure_faults(0);
  for (const std::string_view point : fault_points()) {
    EXPECT_EQ(first_failing_passage(point), 0);
    EXPECT_FALSE(fault_here("nan", point));
  }
  configure("");
  EXPECT_EQ(first_failing_passage("loop.step"), 0);
}

TEST_F(FaultTest, HappensAtItsPassageOnly) {
  configure("enospc:at=loop.step");
  EXPECT_EQ(first_failing_passage("loop.step"), 1);
  configure("eio:rank=0:at=loop.step:n=7");
  EXPECT_EQ(first_failing_passage("metrics.flush"), 0);
  EXPECT_EQ(first_failing_passage("loop.step"), 7);
}

TEST_F(FaultTest, HappensOnItsRankOnly) {
  configure("eio:rank=3:at=loop.step", 2);
  EXPECT_EQ(first_failing_passage("loop.step"), 0);
  configure("eio:rank=3:at=loop.step", 3);
  EXPECT_EQ(first_failing_passage("loop.step"), 1);
}

TEST_F(FaultTest, ErrorsReadAsTheSystemCallsWould) {
  for (const auto& [kind, words] :
       {std::pair{"enospc", "No space left on device"}, std::pair{"eio", "Input/output error"}}) {
    configure(std::string(kind) + ":at=ckpt.after_write");
    try {
      fault_point("ckpt.after_write");
      ADD_FAILURE() << kind;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(words));
    }
  }
}

TEST_F(FaultTest, NanAndShortAreLeftToTheCaller) {
  for (const std::string kind : {"nan", "short"}) {
    configure(kind + ":at=loop.after_update:n=2");
    fault_point("loop.after_update");  // must neither act nor count
    EXPECT_FALSE(fault_here(kind == "nan" ? "short" : "nan", "loop.after_update"));
    EXPECT_FALSE(fault_here(kind, "loop.step"));
    EXPECT_FALSE(fault_here(kind, "loop.after_update"));
    EXPECT_TRUE(fault_here(kind, "loop.after_update"));
    EXPECT_FALSE(fault_here(kind, "loop.after_update"));
  }
}

TEST_F(FaultTest, KillIsNotCatchable) {
  EXPECT_EXIT(
      {
        configure("kill:at=loop.step:n=2");
        fault_point("loop.step");
        fault_point("loop.step");
      },
      testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FaultTest, EveryPointCanBeNamed) {
  for (const std::string_view point : fault_points()) {
    configure("eio:at=" + std::string(point));
    EXPECT_EQ(first_failing_passage(point), 1) << point;
  }
  const std::set<std::string_view> different(fault_points().begin(), fault_points().end());
  EXPECT_EQ(different.size(), fault_points().size());
}

TEST_F(FaultTest, RefusesWhatItDoesNotKnow) {
  expect_refused("explode:at=loop.step", "none of kill, hang, enospc, eio, short, nan, slow");
  expect_refused("Kill:at=loop.step", "none of kill");
  expect_refused(":at=loop.step", "none of kill");
  expect_refused("kill:at=loop.stop", "no point is called 'loop.stop'");
  expect_refused("kill", "no point is called ''");
  expect_refused("kill:at=", "no point is called ''");
  expect_refused("kill:where=loop.step", "unknown key 'where'");
  expect_refused("kill:loop.step", "'loop.step' has no '='");
  expect_refused("kill:at=loop.step:", "'' has no '='");
}

TEST_F(FaultTest, RefusesCountsThatAreNone) {
  for (const std::string word : {"-1", "x", "1.5", "", "1x", "99999999999999999999"}) {
    expect_refused("kill:rank=" + word + ":at=loop.step", "'" + word + "' is not a count");
    expect_refused("kill:at=loop.step:n=" + word, "'" + word + "' is not a count");
  }
  expect_refused("kill:at=loop.step:n=0", "'0'");
}

TEST_F(FaultTest, EscapesWhatItEchoes) {
  expect_refused("kill:at=\x1b[2J", "\\x1b[2J");
  expect_refused("kill:\x1b[2J=1:at=loop.step", "\\x1b[2J");
  expect_refused("kill:\x1b[2J", "\\x1b[2J");
}

TEST_F(FaultTest, AMalformedTextArmsNothing) {
  configure("eio:at=loop.step");
  EXPECT_THROW(configure("eio:at=nowhere"), Error);
  EXPECT_EQ(first_failing_passage("loop.step"), 0);
}

}  // namespace
}  // namespace tenfold::comm
