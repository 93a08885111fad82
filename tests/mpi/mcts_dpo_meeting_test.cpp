// Ranks that work apart: who leaves off when, and that nobody waits for one that has failed.
#include <gtest/gtest.h>

#include "comm/signals.hpp"
#include "mcts_dpo/meeting.hpp"
#include "shared_folder.hpp"

namespace tenfold::mcts_dpo {
namespace {

using MeetingTest = test::SharedFolderTest;

TEST_F(MeetingTest, EndsWhenAllUnitsAreDoneByWhomever) {
  Meeting meeting(world_);
  for (int time = 0; time < 2; ++time) {
    meeting.begin(40);
    std::int64_t mine = 0;
    meeting.work([&] {
      for (; !meeting.due(); ++mine) meeting.done(1);
    });
    const std::int64_t all = world_.all_reduce(mine, comm::Op::kSum);
    EXPECT_GE(all, 40);
    EXPECT_LT(all, 40 + world_.size());
  }
}

TEST_F(MeetingTest, ASignalToAnyRankIsAPauseForAllOnceAUnitIsDone) {
  Meeting meeting(world_);
  meeting.begin(1'000'000'000);
  const bool last = world_.rank() == world_.size() - 1;
  meeting.work([&] {
    if (last) comm::raise_stop_bits(comm::kStopTerminate);
    if (last && world_.size() > 1) return;  // one that waits is heard, too
    EXPECT_TRUE(world_.size() > 1 || !meeting.due()) << "nothing is done yet";
    do meeting.done(1);
    while (!meeting.due());
  });
  comm::clear_stop_bits(comm::kStopTerminate);
}

TEST_F(MeetingTest, AnErrorOfOneIsEverybodys) {
  Meeting meeting(world_);
  meeting.begin(1'000'000'000);
  const int culprit = world_.size() - 1;
  try {
    meeting.work([&] {
      if (world_.rank() == culprit) throw base::Error(base::Code::kNumeric, "logits", "look");
      while (!meeting.due()) continue;
    });
    FAIL() << "nothing was thrown";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), base::Code::kNumeric);
    EXPECT_EQ(error.message(), "logits");
    EXPECT_EQ(error.rank(), culprit);
  }
  meeting.begin(1);
  meeting.work([&] { meeting.done(1); });
}

}  // namespace
}  // namespace tenfold::mcts_dpo
