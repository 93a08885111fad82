// The batch itself: ends, unstable physics, wrong use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/file.hpp"
#include "env/mujoco_batch.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

// Rewards 1 per control step, ends at the third and takes 3 for that.
class Falling final : public Task {
 public:
  std::string model_file() const override { return "pendulum.xml"; }
  void bind(const mjModel&) override {}
  void start(const mjModel&, mjData&, base::Stream&) const override {}
  void observe(const mjData& data, float* observation) const override {
    *observation = static_cast<float>(data.time);
  }
  double reward(const mjModel&, const mjData& data) const override { return ended(data) ? -3 : 1; }
  bool ended(const mjData& data) const override { return data.time > 0.05; }
};

std::unique_ptr<MujocoBatch> falling(bool may_end, std::int64_t horizon, std::int64_t repeat = 2) {
  Spec spec{.name = "falling",
            .summary = "",
            .source = "",
            .observation_size = 1,
            .action_size = 1,
            .horizon = horizon,
            .action_repeat = repeat,
            .control_dt = 0.02};
  auto made = std::make_unique<MujocoBatch>(load_model(base::data_file("mjcf/pendulum.xml")),
                                            std::make_unique<Falling>(), spec, may_end, 1);
  start_all(*made, 1);
  return made;
}

const std::vector<float> kStill = {0};

TEST(Batch, AnEndOfTheTaskIsTerminalAndStopsTheRepeats) {
  const auto env = falling(true, 10);
  env->step(kStill);
  EXPECT_EQ(env->terminal()[0], 0);
  EXPECT_EQ(env->rewards()[0], 1);
  env->step(kStill);
  EXPECT_EQ(env->terminal()[0], 1);
  EXPECT_EQ(env->truncated()[0], 0);
  EXPECT_EQ(env->rewards()[0], -3) << "whichever of the two control steps it was";
  EXPECT_NEAR(env->observations()[0], 0.06, 1e-6);
  EXPECT_THROW(env->step(kStill), base::Error);
}

// A mean would be -3, -1.5 (two steps), -1/3 and -0.2.
TEST(Batch, TheEndsRewardDoesNotDependOnTheRepeat) {
  for (const std::int64_t repeat : {1, 2, 3, 5}) {
    const auto env = falling(true, 10, repeat);
    while (env->terminal()[0] == 0) env->step(kStill);
    EXPECT_EQ(env->rewards()[0], -3) << "repeat " << repeat;
    EXPECT_NEAR(env->observations()[0], 0.06, 1e-6) << "repeat " << repeat;
  }
}

TEST(Batch, AnEndAtTheTimeLimitIsTerminal) {
  const auto env = falling(true, 2);
  env->step(kStill);
  env->step(kStill);
  EXPECT_EQ(env->terminal()[0], 1);
  EXPECT_EQ(env->truncated()[0], 0);
}

TEST(Batch, EndsCanBeTurnedOff) {
  const auto env = falling(false, 3);
  for (int k = 0; k < 3; ++k) env->step(kStill);
  EXPECT_EQ(env->terminal()[0], 0);
  EXPECT_EQ(env->truncated()[0], 1);
  EXPECT_EQ(env->rewards()[0], -3) << "the mean of two steps on the ground";
}

TEST(Batch, LongerControlStepsTakeMoreSimulationSteps) {
  const auto folder = changed_model("pendulum.xml", "timestep=\"0.02\"", "timestep=\"0.005\"");
  const auto env = make_env("pendulum", 1, {.action_repeat = 1, .mjcf_folder = folder});
  start_all(*env, 1);
  env->step(kStill);
  EXPECT_DOUBLE_EQ(state_of(*env, 0)[0], 0.02);
}

// A motor so strong that accelerations leave MuJoCo's bounds.
TEST(Batch, UnstablePhysicsTruncatesTheRowOnly) {
  const auto folder = changed_model("pendulum.xml", "gear=\"1\"", "gear=\"1e12\"");
  const auto env = make_env("pendulum", 2, {.mjcf_folder = folder});
  start_all(*env, 1);
  const std::vector<float> before = observation_of(*env, 0);
  env->step(std::vector<float>{1, 0});
  EXPECT_EQ(env->truncated()[0], 1);
  EXPECT_EQ(env->terminal()[0], 0);
  EXPECT_EQ(env->rewards()[0], 0);
  EXPECT_EQ(observation_of(*env, 0), before) << "the last good one";
  EXPECT_EQ(env->truncated()[1], 0);
  EXPECT_EQ(env->unstable_count(), 1U);
  base::Stream stream(3, base::Purpose::kTest, 0, 0);
  env->reset(0, stream);
  env->step(std::vector<float>{0, 0});
  EXPECT_EQ(env->truncated()[0], 0) << "well again after a reset";
  EXPECT_EQ(env->unstable_count(), 1U);
}

// Speeds above 1e10 are bad. MuJoCo would see this one only in the next step.
TEST(Batch, ABadNewStateIsSeenAtOnce) {
  const auto folder = changed_model("pendulum.xml", "gear=\"1\"", "gear=\"2.26e9\"");
  const auto env = make_env("pendulum", 1, {.action_repeat = 1, .mjcf_folder = folder});
  start_all(*env, 1);
  std::vector<double> state = state_of(*env, 0);
  state[2] = 9.99e9;
  env->load(0, state);
  env->step(std::vector<float>{1});
  EXPECT_EQ(env->truncated()[0], 1);
  EXPECT_EQ(env->unstable_count(), 1U);
}

TEST(Batch, AnActionThatIsNoNumberIsRefusedByName) {
  const auto env = make_env("reacher_easy", 3);
  start_all(*env, 1);
  std::vector<float> actions(6);
  actions[5] = std::nanf("");
  try {
    env->step(actions);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kNumeric);
    EXPECT_THAT(error.message(), testing::AllOf(testing::HasSubstr("action 1 of environment 2"),
                                                testing::HasSubstr("reacher_easy")));
  }
}

TEST(Batch, WrongUseIsABug) {
  const auto env = make_env("pendulum", 2);
  EXPECT_THROW(env->step(std::vector<float>(2)), base::Error) << "never reset";
  start_all(*env, 1);
  EXPECT_THROW(env->step(std::vector<float>(1)), base::Error) << "actions of one row only";
  std::vector<double> state(env->state_size() + 1);
  EXPECT_THROW(env->save(0, state), base::Error);
  EXPECT_THROW(env->load(0, state), base::Error);
}

TEST(Batch, MayBeEmpty) {
  const auto env = make_env("pendulum", 0);
  env->step({});
  EXPECT_TRUE(env->observations().empty());
}

}  // namespace
}  // namespace tenfold::env
