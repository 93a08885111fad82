// What every task must do, whoever adds it: registering it is enough to have it tested here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/error.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

class EveryTask : public testing::TestWithParam<std::string> {
 protected:
  // Goes on where the task would end: all but the tests of ends play as long as they like.
  std::unique_ptr<BatchEnv> make(std::size_t rows, EnvOptions options = {}) const {
    options.terminate_on_fall = false;
    return make_env(GetParam(), rows, options);
  }
};

TEST_P(EveryTask, RandomPlayStaysInBoundsAndEndsByTheTimeLimit) {
  const auto env = make(3);
  const std::int64_t horizon = env->spec().horizon;
  start_all(*env, 1);
  for (std::int64_t decision = 0; decision < horizon; ++decision) {
    env->step(random_actions(*env, 1, static_cast<std::uint64_t>(decision)));
    for (std::size_t row = 0; row < env->size(); ++row) {
      ASSERT_GE(env->rewards()[row], env->spec().least_reward);
      ASSERT_LE(env->rewards()[row], env->spec().most_reward);
      ASSERT_EQ(env->terminal()[row], 0);
      ASSERT_EQ(env->truncated()[row], decision == horizon - 1 ? 1 : 0) << "decision " << decision;
    }
    for (const float each : env->observations()) ASSERT_TRUE(std::isfinite(each));
  }
  EXPECT_EQ(env->unstable_count(), 0U);
  EXPECT_THROW(env->step(random_actions(*env, 1, 0)), base::Error) << "the episode is over";
  start_all(*env, 2);
  env->step(random_actions(*env, 1, 0));
  EXPECT_EQ(env->truncated()[0], 0);
}

TEST_P(EveryTask, FullForceStaysStable) {
  const auto env = make(2, {.horizon = 2000});
  start_all(*env, 5);
  const std::size_t width = env->spec().action_size;
  std::vector<float> actions(2 * width, 1.0F);
  std::fill_n(actions.begin() + static_cast<std::ptrdiff_t>(width), width, -1.0F);
  for (int decision = 0; decision < 1000; ++decision) env->step(actions);
  EXPECT_EQ(env->unstable_count(), 0U);
  for (const float each : env->observations()) EXPECT_LT(std::abs(each), 100);
}

TEST_P(EveryTask, SameStreamsAndActionsGiveTheSameBits) {
  const auto one = make(2), two = make(2);
  start_all(*one, 7);
  start_all(*two, 7);
  for (std::uint64_t decision = 0; decision < 60; ++decision) {
    ASSERT_THAT(two->observations(), testing::ElementsAreArray(one->observations()));
    one->step(random_actions(*one, 3, decision));
    two->step(random_actions(*two, 3, decision));
    ASSERT_THAT(two->rewards(), testing::ElementsAreArray(one->rewards()));
  }
}

TEST_P(EveryTask, StartsDifferFromRowToRowAndEpisodeToEpisode) {
  const auto env = make(4);
  std::set<std::vector<float>> seen;
  for (std::uint32_t seed = 0; seed < 4; ++seed) {
    start_all(*env, seed);
    for (std::size_t row = 0; row < 4; ++row) seen.insert(observation_of(*env, row));
  }
  EXPECT_EQ(seen.size(), 16U);
}

TEST_P(EveryTask, AnEpisodeDoesNotDependOnTheOneBefore) {
  const auto used = make(1), fresh = make(1);
  start_all(*used, 1);
  for (std::uint64_t decision = 0; decision < 25; ++decision) {
    used->step(random_actions(*used, 9, decision));
  }
  start_all(*used, 2);
  start_all(*fresh, 2);
  for (std::uint64_t decision = 0; decision < 25; ++decision) {
    ASSERT_EQ(state_of(*used, 0), state_of(*fresh, 0)) << "decision " << decision;
    used->step(random_actions(*used, 4, decision));
    fresh->step(random_actions(*fresh, 4, decision));
  }
}

TEST_P(EveryTask, RowsDoNotTouchEachOther) {
  const auto batch = make(5);
  start_all(*batch, 11);
  const auto alone = make(1);
  base::Stream stream(11, base::Purpose::kEnvReset, 3, 0);
  alone->reset(0, stream);
  const std::size_t width = alone->spec().action_size;
  for (std::uint64_t decision = 0; decision < 40; ++decision) {
    const std::vector<float> actions = random_actions(*batch, 2, decision);
    batch->step(actions);
    alone->step(std::span(actions).subspan(3 * width, width));
    ASSERT_EQ(observation_of(*batch, 3), observation_of(*alone, 0));
    ASSERT_EQ(batch->rewards()[3], alone->rewards()[0]);
  }
}

TEST_P(EveryTask, SavedInMidEpisodeItGoesOnBitForBit) {
  constexpr std::int64_t kHorizon = 50;
  const auto original = make(2, {.horizon = kHorizon});
  start_all(*original, 21);
  for (std::uint64_t decision = 0; decision < 30; ++decision) {
    original->step(random_actions(*original, 6, decision));
  }
  const auto restored = make(2, {.horizon = kHorizon});
  start_all(*restored, 99);
  for (std::size_t row = 0; row < 2; ++row) restored->load(row, state_of(*original, row));
  EXPECT_THAT(restored->observations(), testing::ElementsAreArray(original->observations()));
  for (std::uint64_t decision = 30; decision < kHorizon; ++decision) {
    for (BatchEnv* env : {original.get(), restored.get()})
      env->step(random_actions(*env, 6, decision));
    ASSERT_THAT(restored->observations(), testing::ElementsAreArray(original->observations()));
    ASSERT_THAT(restored->rewards(), testing::ElementsAreArray(original->rewards()));
    ASSERT_EQ(state_of(*restored, 1), state_of(*original, 1));
    ASSERT_EQ(restored->truncated()[0], decision == kHorizon - 1);
  }
}

TEST_P(EveryTask, LastObservationIsTheTrueOne) {
  const auto cut = make(1, {.horizon = 20}), longer = make(1, {.horizon = 40});
  for (BatchEnv* env : {cut.get(), longer.get()}) {
    start_all(*env, 8);
    for (std::uint64_t decision = 0; decision < 20; ++decision) {
      env->step(random_actions(*env, 8, decision));
    }
  }
  EXPECT_EQ(cut->truncated()[0], 1);
  EXPECT_EQ(longer->truncated()[0], 0);
  EXPECT_EQ(observation_of(*cut, 0), observation_of(*longer, 0));
}

// Played once with ends and once without: the same until the end, and only can_end tasks have one.
// Decisions of one control step, so that both stop at the same moment.
TEST_P(EveryTask, EndsOnlyWhereItSaysSoAndGoesOnWhenTold) {
  const EnvOptions single = {.horizon = make(1)->spec().can_end ? 600 : 100, .action_repeat = 1};
  const auto ending = make_env(GetParam(), 1, single), going_on = make(1, single);
  start_all(*ending, 8);
  start_all(*going_on, 8);
  const std::vector<float> all_back(ending->spec().action_size, -1.0F);
  while (ending->terminal()[0] == 0 && ending->truncated()[0] == 0) {
    ending->step(all_back);
    going_on->step(all_back);
    ASSERT_EQ(state_of(*ending, 0), state_of(*going_on, 0));
    ASSERT_EQ(ending->rewards()[0], going_on->rewards()[0]);
    ASSERT_EQ(observation_of(*ending, 0), observation_of(*going_on, 0));
    ASSERT_EQ(going_on->terminal()[0], 0);
  }
  EXPECT_EQ(ending->terminal()[0] != 0, ending->spec().can_end);
  if (!ending->spec().can_end) return;
  EXPECT_EQ(ending->truncated()[0], 0);
  EXPECT_THROW(ending->step(all_back), base::Error) << "the episode is over";
  going_on->step(all_back);
  EXPECT_EQ(going_on->terminal()[0], 0);
}

TEST_P(EveryTask, RewardIsTheMeanOverTheRepeats) {
  const auto repeated = make(1, {.action_repeat = 4}), single = make(1, {.action_repeat = 1});
  start_all(*repeated, 13);
  start_all(*single, 13);
  for (std::uint64_t decision = 0; decision < 20; ++decision) {
    const std::vector<float> action = random_actions(*repeated, 5, decision);
    repeated->step(action);
    double sum = 0;
    for (int k = 0; k < 4; ++k) {
      single->step(action);
      sum += single->rewards()[0];
    }
    ASSERT_NEAR(repeated->rewards()[0], sum / 4, 1e-6);
    ASSERT_EQ(observation_of(*repeated, 0), observation_of(*single, 0));
  }
}

TEST_P(EveryTask, ActionsAreClipped) {
  const auto inside = make(1), outside = make(1);
  start_all(*inside, 3);
  start_all(*outside, 3);
  const std::size_t width = inside->spec().action_size;
  inside->step(std::vector<float>(width, -1.0F));
  outside->step(std::vector<float>(width, -7.5F));
  EXPECT_EQ(state_of(*inside, 0), state_of(*outside, 0));
  EXPECT_EQ(inside->rewards()[0], outside->rewards()[0]);
}

TEST_P(EveryTask, EveryActionMovesSomething) {
  const auto env = make(1);
  for (std::size_t i = 0; i < env->spec().action_size; ++i) {
    std::vector<float> moved[2];
    for (const int side : {0, 1}) {
      start_all(*env, 3);
      std::vector<float> action(env->spec().action_size);
      action[i] = side == 0 ? -1.0F : 1.0F;
      env->step(action);
      moved[side] = observation_of(*env, 0);
    }
    EXPECT_NE(moved[0], moved[1]) << "action " << i;
  }
}

TEST_P(EveryTask, HasItsFacts) {
  const Spec spec = make(1)->spec();
  EXPECT_EQ(spec.name, GetParam());
  EXPECT_FALSE(spec.summary.empty());
  EXPECT_FALSE(spec.source.empty());
  EXPECT_THAT(task_table(), testing::HasSubstr("\n" + spec.name + " "));
}

INSTANTIATE_TEST_SUITE_P(Tasks, EveryTask, testing::ValuesIn(task_names()),
                         [](const auto& each) { return each.param; });

// Observation and action sizes, decisions, seconds of an episode.
TEST(TaskTable, Dimensions) {
  const std::map<std::string, std::array<double, 4>> expected = {
      {"pendulum", {3, 1, 500, 20}},
      {"pendulum_swingup", {3, 1, 500, 20}},
      {"cart", {2, 1, 500, 10}},
      {"cartpole_balance", {5, 1, 500, 10}},
      {"cartpole_swingup", {5, 1, 500, 10}},
      {"cartpole_balance_sparse", {5, 1, 500, 10}},
      {"cartpole_swingup_sparse", {5, 1, 500, 10}},
      {"reacher_easy", {8, 2, 500, 20}},
      {"reacher_hard", {8, 2, 500, 20}},
      {"reacherDouble", {8, 2, 200, 8}},
      {"fixedReacherDouble", {8, 2, 200, 8}},
      {"fixedReacherSingle", {5, 1, 200, 8}},
      {"point_mass", {4, 2, 500, 20}},
      {"cartpoleParallelDouble", {8, 1, 500, 10}},
      {"cartpoleParallelTriple", {11, 1, 500, 10}},
      {"cartpoleSerialDouble", {8, 1, 500, 10}},
      {"cartpoleSerialTriple", {11, 1, 500, 10}},
      {"acrobot_swingup", {6, 1, 500, 10}},
      {"acrobot_swingup_sparse", {6, 1, 500, 10}},
      {"ball_in_cup_catch", {8, 2, 500, 20}},
      {"finger_spin", {9, 2, 500, 20}},
      {"finger_turn_easy", {12, 2, 500, 20}},
      {"finger_turn_hard", {12, 2, 500, 20}},
      {"reacherSingle", {5, 1, 200, 8}},
      {"reacher", {11, 3, 200, 8}},
      {"fixedReacher", {11, 3, 200, 8}},
      {"reacherObstacle", {19, 5, 200, 8}},
      {"reacher3daFixedTarget", {24, 7, 200, 8}},
      {"reacher3daRandomTarget", {24, 7, 200, 8}},
      {"gripper", {24, 5, 250, 10}},
      {"gripperRandom", {24, 5, 250, 10}},
      {"movingGripper", {28, 7, 250, 10}},
      {"movingGripperRandom", {28, 7, 250, 10}},
      {"blockworld1", {24, 5, 250, 10}},
      {"blockworld3da", {45, 9, 250, 10}},
      {"canada2d", {18, 3, 200, 8}},
      {"canada", {31, 7, 200, 8}},
      {"cheetah_run", {18, 6, 500, 10}},
      {"cheetah", {18, 6, 500, 10}},
      {"hardCheetah", {18, 6, 500, 10}},
      {"hardCheetahNice", {18, 6, 500, 10}},
      {"hopper_stand", {16, 4, 500, 20}},
      {"hopper_hop", {16, 4, 500, 20}},
      {"hopper", {16, 4, 500, 20}},
      {"walker_stand", {24, 6, 500, 25}},
      {"walker_walk", {24, 6, 500, 25}},
      {"walker_run", {24, 6, 500, 25}},
      {"walker2d", {24, 6, 500, 25}},
      {"hyq", {34, 12, 500, 20}},
      {"hyqKick", {34, 12, 500, 20}},
      {"torcs", {31, 2, 1000, 50}}};
  std::map<std::string, std::array<double, 4>> listed;
  for (const Spec& spec : list_tasks()) {
    listed[spec.name] = {
        static_cast<double>(spec.observation_size), static_cast<double>(spec.action_size),
        static_cast<double>(spec.horizon),
        std::round(static_cast<double>(spec.horizon * spec.action_repeat) * spec.control_dt * 1e6) /
            1e6};
  }
  EXPECT_EQ(listed, expected);
}

TEST(TaskTable, PaperNamesAreAccepted) {
  EXPECT_EQ(make_env("cartpole", 1)->spec().name, "cartpole_swingup");
  EXPECT_EQ(make_env("cartpoleBalance", 1)->spec().name, "cartpole_balance");
  EXPECT_EQ(make_env("cartpole_two_poles", 1)->spec().name, "cartpoleSerialDouble");
  EXPECT_EQ(make_env("cartpole_three_poles", 1)->spec().name, "cartpoleSerialTriple");
}

TEST(TaskTable, OtherRepeatsKeepTheEpisodesLength) {
  EXPECT_EQ(make_env("pendulum", 1, {.action_repeat = 1})->spec().horizon, 1000);
  EXPECT_EQ(make_env("pendulum", 1, {.action_repeat = 4})->spec().horizon, 250);
  EXPECT_EQ(make_env("pendulum", 1, {.horizon = 30, .action_repeat = 4})->spec().horizon, 30);
}

}  // namespace
}  // namespace tenfold::env
