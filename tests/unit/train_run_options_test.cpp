#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "train/run_options.hpp"

namespace tenfold::train {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST(StepsOrTime, WholeNumbersAreSteps) {
  for (const auto& [text, steps] : std::vector<std::pair<std::string, std::uint64_t>>{
           {"1", 1}, {"20000", 20000}, {"9007199254740993", 9007199254740993}}) {
    const StepsOrTime result = steps_or_time("run.stop-after", text);
    EXPECT_EQ(result.steps, steps);
    EXPECT_FALSE(result.seconds.has_value());
  }
}

TEST(StepsOrTime, AUnitOrColonsMakeATime) {
  for (const auto& [text, seconds] : std::vector<std::pair<std::string, double>>{{"90s", 90},
                                                                                 {"15m", 900},
                                                                                 {"2h", 7200},
                                                                                 {"1d", 86400},
                                                                                 {"0.5s", 0.5},
                                                                                 {"01:30:00", 5400},
                                                                                 {"00:00:07", 7}}) {
    const StepsOrTime result = steps_or_time("run.stop-after", text);
    EXPECT_EQ(result.seconds, seconds) << text;
    EXPECT_FALSE(result.steps.has_value()) << text;
  }
}

TEST(StepsOrTime, AnythingElseIsAUsageErrorThatNamesOptionAndText) {
  for (const std::string text : {"", "0", "-5", "0s", "-1m", "soon", "5x", "10 000", "00:00:00",
                                 "1:30", "nan", "s", "20000 steps"}) {
    try {
      steps_or_time("checkpoint.every", text);
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      EXPECT_EQ(error.message(), "checkpoint.every: '" + text +
                                     "' is neither a number of steps (20000) nor a time (90s, "
                                     "15m, 2h)");
    }
  }
}

class RunOptionsTest : public testing::Test {
 protected:
  RunOptionsTest() { options_.declare(table_); }
  void take(const std::vector<std::string>& arguments) {
    table_.apply(table_.parse(arguments, {}).resolved);
  }
  std::string refusal(const std::vector<std::string>& arguments) {
    try {
      take(arguments);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      return error.message();
    }
    return "accepted";
  }
  RunOptions options_;
  cli::OptionTable table_{"test", "options of every run"};
};

TEST_F(RunOptionsTest, ShortFlagsReachTheirFields) {
  take({"--run-dir",
        "runs/a",
        "--seed",
        "4294967295",
        "--stop-after",
        "10m",
        "--virtual-shards",
        "12",
        "--reduce",
        "fixed",
        "--checkpoint-every",
        "500",
        "--checkpoint-local",
        "/dev/shm",
        "--checkpoint-local-every",
        "2000",
        "--keep-last",
        "3",
        "--metrics-every",
        "50",
        "--dry-run",
        "--device",
        "cuda",
        "--watchdog",
        "1.5"});
  EXPECT_EQ(options_.run_dir, "runs/a");
  EXPECT_EQ(options_.seed, 4294967295);
  EXPECT_EQ(options_.stop_after, "10m");
  EXPECT_EQ(options_.virtual_shards, 12);
  EXPECT_EQ(options_.reduce, "fixed");
  EXPECT_EQ(options_.checkpoint_every, "500");
  EXPECT_EQ(options_.checkpoint_local, "/dev/shm");
  EXPECT_EQ(options_.checkpoint_local_every, "2000");
  EXPECT_EQ(options_.keep_last, 3);
  EXPECT_EQ(options_.metrics_every, 50);
  EXPECT_TRUE(options_.dry_run);
  EXPECT_EQ(options_.device, "cuda");
  EXPECT_EQ(options_.watchdog, 1.5);
  EXPECT_EQ(options_.resume, "auto") << "what is not said keeps its default";
}

// A run may go on with another value of all others, so a wrong mark here breaks the promise that a
// resumed run ends with the parameters of the unbroken one, or refuses harmless changes.
TEST_F(RunOptionsTest, OnlyTheseAffectResults) {
  std::vector<std::string> keys;
  for (const cli::Option& option : table_.options()) {
    if (option.affects_results) keys.push_back(option.key);
  }
  EXPECT_THAT(keys, UnorderedElementsAre("run.seed", "parallel.virtual-shards", "parallel.reduce",
                                         "parallel.zero", "parallel.nonfinite", "device.device"));
}

TEST_F(RunOptionsTest, BadValuesAreRefusedByName) {
  EXPECT_THAT(refusal({"--seed", "-1"}), HasSubstr("--seed = '-1'"));
  EXPECT_THAT(refusal({"--seed", "4294967296"}), HasSubstr("from 0 to 4294967295"));
  EXPECT_THAT(refusal({"--virtual-shards", "0"}), HasSubstr("--virtual-shards = '0'"));
  EXPECT_THAT(refusal({"--reduce", "quick"}), HasSubstr("fast, ordered, fixed"));
  EXPECT_THAT(refusal({"--device", "tpu"}), HasSubstr("cpu, cuda"));
  EXPECT_THAT(refusal({"--keep-last", "0"}), HasSubstr("--keep-last = '0'"));
  EXPECT_THAT(refusal({"--stop-after", "soon"}),
              testing::AllOf(HasSubstr("--stop-after = 'soon'"),
                             HasSubstr("neither a number of steps (20000) nor a time")));
  EXPECT_THAT(refusal({"--checkpoint-every", "0"}), HasSubstr("--checkpoint-every = '0'"));
  EXPECT_THAT(refusal({"--checkpoint-local-every", ""}), HasSubstr("is empty"));
  EXPECT_THAT(refusal({"--checkpoint-local-every", "auto"}),
              HasSubstr("--checkpoint-local-every = 'auto'"));
}

}  // namespace
}  // namespace tenfold::train
