// Every reason to stop or to write a checkpoint, seen by one rank only where that can happen: all
// ranks decide alike.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

#include "base/clock.hpp"
#include "comm/signals.hpp"
#include "mpi/shared_folder.hpp"
#include "train/stop_policy.hpp"

namespace tenfold::train {
namespace {

using base::Code;

constexpr std::uint32_t kAllSignals =
    comm::kStopInterrupt | comm::kStopTerminate | comm::kStopUser2 | comm::kCheckpointUser1;

class StopPolicyTest : public test::SharedFolderTest {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }

  static void clear() {
    comm::clear_stop_bits(kAllSignals);
    ::unsetenv("TENFOLD_DEADLINE");
  }
  StopPolicy policy(const std::string& stop_after = "", std::uint64_t first_step = 0,
                    const store::RunDirectory* directory = nullptr) const {
    return {world_, directory, stop_after, CheckpointSchedule("1000000", "6h"), first_step};
  }
  // Only the last rank gets the signal, as when a batch system warns one node.
  void signal_last_rank(std::uint32_t bits) const {
    if (world_.rank() == world_.size() - 1) comm::raise_stop_bits(bits);
  }
  void set_deadline(double seconds_from_now) const {
    const std::string text = fmt::format("{:.3f}", base::wall_now() + seconds_from_now);
    if (world_.is_root()) ::setenv("TENFOLD_DEADLINE", text.c_str(), 1);
  }
};

void expect(const StopDecision& decision, bool stop, bool checkpoint, const std::string& reason) {
  EXPECT_EQ(decision.stop, stop) << reason;
  EXPECT_EQ(decision.checkpoint, checkpoint) << reason;
  EXPECT_EQ(decision.reason, reason);
}

TEST_F(StopPolicyTest, NothingHappens) {
  StopPolicy stop = policy();
  expect(stop.decide(0, 1, 0.1), false, false, "");
}

TEST_F(StopPolicyTest, SignalsOnOneRankStopAllAndStay) {
  const std::vector<std::pair<std::uint32_t, std::string>> signals{
      {comm::kStopInterrupt, "SIGINT"},
      {comm::kStopTerminate, "SIGTERM"},
      {comm::kStopUser2, "SIGUSR2"}};
  for (const auto& [bit, name] : signals) {
    clear();
    StopPolicy stop = policy();
    signal_last_rank(bit);
    expect(stop.decide(0, 1, 0.1), true, true, name);
    expect(stop.decide(1, 2, 0.1), true, true, name);
  }
}

TEST_F(StopPolicyTest, User1WritesOneCheckpointAndGoesOn) {
  StopPolicy stop = policy();
  signal_last_rank(comm::kCheckpointUser1);
  expect(stop.decide(0, 1, 0.1), false, true, "SIGUSR1");
  expect(stop.decide(1, 2, 0.1), false, false, "");
}

TEST_F(StopPolicyTest, TouchFilesAreObeyedOnceAndRemoved) {
  const store::RunDirectory directory(world_, folder_ / "run");
  const auto touch = [&](const std::string& name) {
    if (world_.is_root()) std::ofstream(directory.path() / name) << "";
    world_.barrier();
  };
  const auto there = [&](const std::string& name) {
    world_.barrier();
    return std::filesystem::exists(directory.path() / name);
  };
  touch("STOP");
  StopPolicy stops = policy("", 0, &directory);
  expect(stops.decide(0, 1, 0.1), true, true, "STOP file");
  EXPECT_FALSE(there("STOP")) << "the resumed run would stop at once";
  touch("CHECKPOINT");
  StopPolicy writes = policy("", 0, &directory);
  expect(writes.decide(0, 1, 0.1), false, true, "CHECKPOINT file");
  EXPECT_FALSE(there("CHECKPOINT"));
  StopPolicy neither = policy("", 0, &directory);
  expect(neither.decide(0, 1, 0.1), false, false, "");
}

TEST_F(StopPolicyTest, StopAfterCountsStepsFromWhereThisJobBegan) {
  StopPolicy stop = policy("100", 40);
  expect(stop.decide(120, 139, 0.1), false, false, "");
  expect(stop.decide(139, 140, 0.1), true, true, "--stop-after");
  StopPolicy long_step = policy("100", 40);
  expect(long_step.decide(40, 500, 0.1), true, true, "--stop-after");
}

TEST_F(StopPolicyTest, StopAfterCountsTime) {
  StopPolicy hours = policy("2h");
  expect(hours.decide(0, 1'000'000 - 1, 0.1), false, false, "");
  StopPolicy at_once = policy("1e-9s");
  expect(at_once.decide(0, 1, 0.1), true, true, "--stop-after");
}

TEST_F(StopPolicyTest, DeadlineLeavesTimeForTheSlowestStepAndCheckpoint) {
  set_deadline(1000);
  StopPolicy far = policy();
  expect(far.decide(0, 1, 0.1), false, false, "");
  far.checkpointed(500, 0.1);  // 1.5 x 500 + 30 < 1000
  expect(far.decide(1, 2, 0.1), false, false, "");
  far.checkpointed(700, 0.1);
  expect(far.decide(2, 3, 0.1), true, true, "deadline");

  StopPolicy slow_step = policy();
  expect(slow_step.decide(0, 1, 900), false, false, "");
  expect(slow_step.decide(1, 2, 980), true, true, "deadline");
  expect(slow_step.decide(2, 3, 0.1), true, true, "deadline");

  set_deadline(25);  // within the 30 s that are always kept
  StopPolicy near = policy();
  expect(near.decide(0, 1, 0.1), true, true, "deadline");
}

TEST_F(StopPolicyTest, CheckpointsByScheduleOfSteps) {
  StopPolicy stop(world_, nullptr, "", CheckpointSchedule("10", "6h"), 0);
  expect(stop.decide(0, 9, 0.1), false, false, "");
  expect(stop.decide(9, 12, 0.1), false, true, "schedule");
  stop.checkpointed(0.1, 0.1);
  expect(stop.decide(12, 19, 0.1), false, false, "");
  expect(stop.decide(19, 20, 0.1), false, true, "schedule");
}

TEST_F(StopPolicyTest, CheckpointsByScheduleOfTime) {
  StopPolicy seldom(world_, nullptr, "", CheckpointSchedule("5h", "6h"), 0);
  expect(seldom.decide(0, 1, 0.1), false, false, "");
  StopPolicy always(world_, nullptr, "", CheckpointSchedule("1e-9s", "6h"), 0);
  expect(always.decide(0, 1, 0.1), false, true, "schedule");
}

TEST_F(StopPolicyTest, NodeLocalOnesAreDueUntilOneIsBegunOrASharedOneTakesTheirPlace) {
  StopPolicy stop(world_, nullptr, "", CheckpointSchedule("30", "6h"), 0,
                  StepsOrTime{.steps = 10, .seconds = {}});
  EXPECT_FALSE(stop.decide(0, 9, 0.1).local);
  for (std::uint64_t step = 10; step < 13; ++step) {
    const StopDecision due = stop.decide(step - 1, step, 0.1);
    EXPECT_TRUE(due.local);
    expect(due, false, false, "");
  }
  stop.local_begun();
  EXPECT_FALSE(stop.decide(12, 19, 0.1).local);
  EXPECT_TRUE(stop.decide(19, 20, 0.1).local);
  const StopDecision both = stop.decide(29, 30, 0.1);
  EXPECT_FALSE(both.local);
  expect(both, false, true, "schedule");
  stop.checkpoint_begun();
  EXPECT_FALSE(stop.decide(30, 39, 0.1).local);
}

TEST_F(StopPolicyTest, TheDeadlineLeavesTimeForANodeLocalOneOnItsWay) {
  set_deadline(1000);
  StopPolicy stop = policy();
  stop.checkpointed(600, 0.1);  // 1.5 x 600 + 30 < 1000
  expect(stop.decide(0, 1, 0.1), false, false, "");
  stop.local_checkpointed(80);
  expect(stop.decide(1, 2, 0.1), true, true, "deadline");
}

TEST_F(StopPolicyTest, ACheckpointOnItsWayAnywhereIsKnownEverywhere) {
  StopPolicy stop = policy();
  const bool last = world_.rank() == world_.size() - 1;
  EXPECT_TRUE(stop.decide(0, 1, 0.1, last).writing);
  EXPECT_FALSE(stop.decide(1, 2, 0.1, false).writing);
  expect(stop.decide(2, 3, 0.1, last), false, false, "");
}

TEST_F(StopPolicyTest, SeveralReasonsAreAllNamed) {
  StopPolicy stop(world_, nullptr, "5", CheckpointSchedule("10", "6h"), 0);
  signal_last_rank(comm::kStopUser2 | comm::kCheckpointUser1);
  if (world_.is_root()) comm::raise_stop_bits(comm::kStopTerminate);
  expect(stop.decide(0, 10, 0.1), true, true, "SIGTERM, SIGUSR2, --stop-after, SIGUSR1, schedule");
}

TEST_F(StopPolicyTest, BadTextsAreUsageErrors) {
  for (const auto& [stop_after, every, key] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"soon", "10", "run.stop-after"}, {"", "often", "checkpoint.every"}}) {
    try {
      StopPolicy stop(world_, nullptr, stop_after, CheckpointSchedule(every, "6h"), 0);
      ADD_FAILURE() << "accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), Code::kUsage);
      EXPECT_THAT(error.message(), testing::HasSubstr(key));
    }
  }
}

// Slurm may give the variable to the first node only: the error must still reach all ranks.
TEST_F(StopPolicyTest, ABadDeadlineOfRankZeroIsAgreedOn) {
  for (const char* text : {"tomorrow", "-5", "12h", "nan"}) {
    if (world_.is_root()) ::setenv("TENFOLD_DEADLINE", text, 1);
    try {
      policy();
      ADD_FAILURE() << "accepted " << text;
    } catch (const comm::AgreedError& error) {
      EXPECT_EQ(error.code(), Code::kUsage);
      EXPECT_EQ(error.message(),
                fmt::format("TENFOLD_DEADLINE: '{}' is not a time in seconds since 1970", text));
    }
  }
  if (world_.is_root()) ::setenv("TENFOLD_DEADLINE", "", 1);
  StopPolicy empty_is_none = policy();
  expect(empty_is_none.decide(0, 1, 0.1), false, false, "");
}

}  // namespace
}  // namespace tenfold::train
