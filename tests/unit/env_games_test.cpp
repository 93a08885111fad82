// What every native game must do, whoever adds it: registering it is enough to have it tested here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "counted_new.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

using testing::HasSubstr;

void reset_row(BatchEnv& env, std::size_t row, std::uint32_t seed, std::uint64_t step) {
  base::Stream stream(seed, base::Purpose::kEnvReset, static_cast<std::uint32_t>(row), step);
  env.reset(row, stream);
}

bool over(const BatchEnv& env, std::size_t row) {
  return env.terminal()[row] != 0 || env.truncated()[row] != 0;
}

// One step of random actions; rows whose episode is over begin another one before it.
void play_on(BatchEnv& env, std::uint32_t seed, std::uint64_t decision) {
  for (std::size_t row = 0; row < env.size(); ++row) {
    if (over(env, row)) reset_row(env, row, seed, decision);
  }
  env.step(random_actions(env, seed, decision));
}

struct Seen {
  std::vector<float> observation;
  std::vector<std::uint8_t> frame;
  float reward;
  std::uint8_t terminal, truncated;
  bool operator==(const Seen&) const = default;
};

std::vector<std::uint8_t> frame_of(const BatchEnv& env, std::size_t row) {
  const std::size_t bytes = env.frames().size() / env.size();
  const auto frame = env.frames().subspan(row * bytes, bytes);
  return {frame.begin(), frame.end()};
}

Seen seen(const BatchEnv& env, std::size_t row) {
  return {observation_of(env, row), frame_of(env, row), env.rewards()[row], env.terminal()[row],
          env.truncated()[row]};
}

class EveryGame : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<BatchEnv> make(std::size_t rows, const EnvOptions& options = {}) const {
    return make_env(GetParam(), rows, options);
  }
};

TEST_P(EveryGame, RandomPlayStaysWithinWhatItsSpecSays) {
  const auto env = make(3);
  const Spec& spec = env->spec();
  ASSERT_EQ(env->observations().size(), 3 * spec.observation_size);
  const auto& [height, width, channels] = spec.picture;
  if (height > 0) {
    const bool bytes = spec.observation_size == 0;
    EXPECT_EQ(3 * height * width * channels,
              bytes ? env->frames().size() : env->observations().size());
  }
  start_all(*env, 1);
  std::vector<std::int64_t> taken(3);
  bool ended = false;
  for (std::uint64_t decision = 0; decision < 6000; ++decision) {
    for (std::size_t row = 0; row < 3; ++row) taken[row] = over(*env, row) ? 1 : taken[row] + 1;
    play_on(*env, 1, decision);
    for (std::size_t row = 0; row < 3; ++row) {
      ASSERT_GE(env->rewards()[row], spec.least_reward);
      ASSERT_LE(env->rewards()[row], spec.most_reward);
      ASSERT_LE(env->terminal()[row] + env->truncated()[row], 1);
      if (env->terminal()[row] == 0) {
        ASSERT_EQ(env->truncated()[row] != 0, taken[row] == spec.horizon);
      }
      ended |= env->terminal()[row] != 0;
    }
    for (const float each : env->observations()) {
      ASSERT_TRUE(height > 0 ? each == 0 || each == 1 : std::abs(each) < 30) << each;
    }
  }
  EXPECT_TRUE(spec.can_end || !ended);
  EXPECT_EQ(env->unstable_count(), 0U);
}

// No game ends by its rules within three steps.
TEST_P(EveryGame, TheTimeLimitTruncates) {
  const auto env = make(1, {.horizon = 3});
  EXPECT_EQ(env->spec().horizon, 3);
  start_all(*env, 1);
  for (std::uint64_t decision = 0; decision < 3; ++decision) {
    ASSERT_FALSE(over(*env, 0)) << "decision " << decision;
    env->step(random_actions(*env, 1, decision));
  }
  EXPECT_EQ(env->terminal()[0], 0);
  EXPECT_EQ(env->truncated()[0], 1);
  EXPECT_THROW(env->step(random_actions(*env, 1, 0)), base::Error) << "the episode is over";
  start_all(*env, 2);
  EXPECT_EQ(env->truncated()[0], 0);
}

TEST_P(EveryGame, RowsDependOnTheirStreamsAloneNotOnTheBatch) {
  const auto one = make(1), four = make(4);
  start_all(*one, 7);
  start_all(*four, 7);
  ASSERT_EQ(seen(*one, 0), seen(*four, 0));
  for (std::uint64_t decision = 0; decision < 1000; ++decision) {
    play_on(*one, 7, decision);
    play_on(*four, 7, decision);
    ASSERT_EQ(seen(*one, 0), seen(*four, 0)) << "decision " << decision;
  }
  EXPECT_NE(state_of(*four, 0), state_of(*four, 1)) << "rows with streams of their own";
}

// Saved at many places of episodes; loaded into another row that was in the middle of something.
TEST_P(EveryGame, ALoadedStateGoesOnWithTheSameBits) {
  const auto from = make(1), to = make(3);
  start_all(*from, 3);
  start_all(*to, 4);
  int compared = 0;
  for (std::uint64_t decision = 0; decision < 1200; ++decision) {
    play_on(*from, 3, decision);
    play_on(*to, 4, decision);
    if (decision % 37 != 0 || over(*from, 0)) continue;
    const std::vector<double> state = state_of(*from, 0);
    to->load(2, state);
    ASSERT_EQ(state_of(*to, 2), state);
    ASSERT_EQ(observation_of(*to, 2), observation_of(*from, 0));
    ASSERT_EQ(frame_of(*to, 2), frame_of(*from, 0));
    for (std::uint64_t more = 0; more < 50 && !over(*from, 0); ++more) {
      for (std::size_t row = 0; row < 2; ++row) {
        if (over(*to, row)) reset_row(*to, row, 5, more);
      }
      std::vector<float> actions = random_actions(*to, 6, decision + more);
      actions[2] = random_actions(*from, 8, decision + more)[0];
      to->step(actions);
      from->step(std::vector<float>{actions[2]});
      ASSERT_EQ(seen(*to, 2), seen(*from, 0)) << "decision " << decision << " + " << more;
      ++compared;
    }
    ASSERT_EQ(state_of(*to, 2), state_of(*from, 0));
  }
  EXPECT_GT(compared, 100);
  EXPECT_THROW(to->load(0, std::vector<double>(from->state_size() + 1)), base::Error);
}

TEST_P(EveryGame, RefusesActionsThatAreNone) {
  const auto env = make(2);
  const Spec& spec = env->spec();
  ASSERT_EQ(spec.action_size, 1U);
  start_all(*env, 1);
  const auto code_of = [&env](float action) {
    try {
      env->step(std::vector<float>{0, action});
    } catch (const base::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("of environment 1 of task"));
      return error.code();
    }
    return base::Code::kOk;
  };
  EXPECT_EQ(code_of(std::numeric_limits<float>::quiet_NaN()), base::Code::kNumeric);
  if (spec.choices > 0) {
    for (const float bad : {-1.0F, static_cast<float>(spec.choices), 0.5F}) {
      EXPECT_EQ(code_of(bad), base::Code::kBug) << bad;
    }
    EXPECT_EQ(code_of(static_cast<float>(spec.choices - 1)), base::Code::kOk);
  } else {
    EXPECT_EQ(code_of(7), base::Code::kOk) << "clipped";
  }
  EXPECT_THROW(env->step(std::vector<float>{0}), base::Error);
}

TEST_P(EveryGame, AllocatesNothingInStepAndReset) {
  const auto env = make(4);
  start_all(*env, 1);
  const std::vector<float> actions(4, 1);
  test::allocations = 0;
  for (std::uint64_t decision = 0; decision < 200; ++decision) {
    for (std::size_t row = 0; row < 4; ++row) {
      if (over(*env, row)) reset_row(*env, row, 1, decision);
    }
    env->step(actions);
  }
  EXPECT_EQ(test::allocations, 0U);
}

TEST_P(EveryGame, OnlyThoseThatNeverEndCanBeToldToGoOn) {
  const Spec spec = make(1)->spec();
  if (spec.can_end) {
    EXPECT_THROW(make(1, {.terminate_on_fall = false}), base::Error);
  } else {
    EXPECT_EQ(make(1, {.terminate_on_fall = false})->spec().name, spec.name);
  }
}

INSTANTIATE_TEST_SUITE_P(Games, EveryGame, testing::ValuesIn(game_names()),
                         [](const auto& each) { return each.param; });

TEST(Games, TheTableSaysWhatIsMade) {
  for (const Spec& listed : list_games()) {
    const auto env = make_env(listed.name, 1);
    const Spec& made = env->spec();
    EXPECT_EQ(listed.observation_size, made.observation_size) << listed.name;
    EXPECT_EQ(listed.picture, made.picture) << listed.name;
    EXPECT_EQ(listed.choices, made.choices) << listed.name;
    EXPECT_EQ(listed.horizon, made.horizon) << listed.name;
    EXPECT_EQ(listed.least_reward, made.least_reward) << listed.name;
    EXPECT_EQ(listed.most_reward, made.most_reward) << listed.name;
    EXPECT_THAT(game_table(), HasSubstr(listed.name));
  }
}

// An action held for four control steps: rewards add up, an end cuts the rest.
TEST(Games, RewardsAreSumsOverTheActionRepeat) {
  const auto env = make_env("classic_cartpole", 1, {.action_repeat = 4});
  EXPECT_EQ(env->spec().horizon, 125);
  EXPECT_EQ(env->spec().most_reward, 4);
  start_all(*env, 1);
  const auto single = make_env("classic_cartpole", 1);
  start_all(*single, 1);
  double together = 0, one_by_one = 0;
  while (!over(*env, 0)) {
    env->step(std::vector<float>{1});
    together += env->rewards()[0];
  }
  while (!over(*single, 0)) {
    single->step(std::vector<float>{1});
    one_by_one += single->rewards()[0];
  }
  EXPECT_EQ(together, one_by_one);
  EXPECT_EQ(state_of(*env, 0)[0], state_of(*single, 0)[0]) << "at the same place";
}

}  // namespace
}  // namespace tenfold::env
