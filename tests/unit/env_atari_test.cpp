// Atari's games as a BatchEnv: what other games are held to, as far as an emulator in Python can
// be. Pictures and rewards are held against Gymnasium's in tests/golden/test_atari.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/error.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

using testing::HasSubstr;

struct Seen {
  std::vector<std::uint8_t> frame;
  float reward;
  int terminal, truncated, life_lost;
  bool operator==(const Seen&) const = default;
};

Seen seen(const BatchEnv& env, std::size_t row) {
  const std::size_t bytes = env.frames().size() / env.size();
  const auto frame = env.frames().subspan(row * bytes, bytes);
  return {{frame.begin(), frame.end()},
          env.rewards()[row],
          env.terminal()[row],
          env.truncated()[row],
          env.life_lost().empty() ? -1 : env.life_lost()[row]};
}

bool over(const BatchEnv& env, std::size_t row) {
  return env.terminal()[row] != 0 || env.truncated()[row] != 0;
}

void reset_row(BatchEnv& env, std::size_t row, std::uint32_t seed, std::uint64_t step) {
  base::Stream stream(seed, base::Purpose::kEnvReset, static_cast<std::uint32_t>(row), step);
  env.reset(row, stream);
}

void play_on(BatchEnv& env, std::uint32_t seed, std::uint64_t decision) {
  for (std::size_t row = 0; row < env.size(); ++row) {
    if (over(env, row)) reset_row(env, row, seed, decision);
  }
  env.step(random_actions(env, seed, decision));
}

class Atari : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    try {
      made("atari:pong");
    } catch (const base::Error& error) {
      if (std::string(error.what()).find("ale-py") == std::string::npos) throw;
      missing = error.what();
    }
  }
  void SetUp() override {
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  static std::unique_ptr<BatchEnv> made(const std::string& task, const std::string& settings = "",
                                        std::size_t rows = 1, std::int64_t horizon = 0) {
    EnvOptions options;
    options.settings = settings;
    options.horizon = horizon;
    return make_env(task, rows, options);
  }
  static inline std::string missing;
};

TEST_F(Atari, SpecSaysWhatTheGameIs) {
  const auto env = made("atari:ALE/Breakout-v5");
  const Spec& spec = env->spec();
  EXPECT_EQ(spec.name, "atari:breakout");
  EXPECT_EQ(spec.choices, 4) << "nothing, fire, right, left";
  EXPECT_EQ(spec.picture, (std::array<std::int64_t, 3>{84, 84, 4}));
  EXPECT_EQ(spec.observation_size, 0U);
  EXPECT_EQ(spec.action_repeat, 4);
  EXPECT_EQ(spec.horizon, 27000);
  EXPECT_EQ(env->frames().size(), 84U * 84U * 4U);
  EXPECT_TRUE(env->life_lost().empty());
  EXPECT_EQ(made("atari:breakout", "full-actions=1")->spec().choices, 18);
  EXPECT_EQ(made("atari:breakout", "frames=100")->spec().horizon, 25);
}

TEST_F(Atari, RowsDependOnTheirStreamsAloneNotOnTheBatch) {
  const auto one = made("atari:breakout", "sticky=0.25"),
             three = made("atari:breakout", "sticky=0.25", 3);
  start_all(*one, 7);
  start_all(*three, 7);
  bool differ = false;
  for (std::uint64_t decision = 0; decision < 200; ++decision) {
    ASSERT_EQ(seen(*one, 0), seen(*three, 0)) << "decision " << decision;
    differ |= seen(*three, 0) != seen(*three, 1);
    play_on(*one, 7, decision);
    play_on(*three, 7, decision);
  }
  EXPECT_TRUE(differ) << "rows with streams of their own";
}

// Into a row of another batch that was in the middle of something.
TEST_F(Atari, ALoadedStateGoesOnWithTheSameBits) {
  for (const char* task : {"atari:pong", "atari:breakout", "atari:darkchambers"}) {
    const auto from = made(task, "sticky=0.2,life-loss=1"),
               to = made(task, "sticky=0.2,life-loss=1", 2);
    start_all(*from, 3);
    start_all(*to, 4);
    std::uint64_t decision = 0;
    for (int saved = 0; saved < 4; ++saved) {
      for (int k = 0; k < 45; ++k, ++decision) play_on(*from, 3, decision);
      if (over(*from, 0)) continue;
      play_on(*to, 4, decision);
      const std::vector<double> state = state_of(*from, 0);
      to->load(1, state);
      ASSERT_EQ(state_of(*to, 1), state);
      ASSERT_EQ(seen(*to, 1).frame, seen(*from, 0).frame);
      for (std::uint64_t more = 0; more < 30 && !over(*from, 0); ++more) {
        if (over(*to, 0)) reset_row(*to, 0, 5, more);
        std::vector<float> actions = random_actions(*to, 6, more);
        to->step(actions);
        from->step(std::vector<float>{actions[1]});
        ASSERT_EQ(seen(*to, 1), seen(*from, 0))
            << task << ", decision " << decision << " + " << more;
      }
      ASSERT_EQ(state_of(*to, 1), state_of(*from, 0));
    }
    EXPECT_THROW(to->load(0, std::vector<double>(from->state_size() + 1)), base::Error);
  }
}

TEST_F(Atari, EpisodesBeginWithDrawnNumbersOfNoOps) {
  const auto plain = made("atari:pong", "noops=0"), drawn = made("atari:pong");
  const auto after_nothing = [](BatchEnv& env, std::uint64_t episode) {
    reset_row(env, 0, 1, episode);
    for (int k = 0; k < 25; ++k) env.step(std::vector<float>{0});
    return seen(env, 0);
  };
  const Seen fixed = after_nothing(*plain, 0), first = after_nothing(*drawn, 0);
  int others = 0;
  for (std::uint64_t episode = 1; episode < 4; ++episode) {
    play_on(*plain, 1, episode);
    EXPECT_EQ(after_nothing(*plain, episode), fixed) << "one start, whatever was played before";
    others += after_nothing(*drawn, episode) != first;
  }
  EXPECT_GT(others, 0);
}

TEST_F(Atari, AllActionsStickWithProbabilityOne) {
  const auto env = made("atari:pong", "sticky=1", 2);
  for (std::size_t row = 0; row < 2; ++row) {
    base::Stream stream(1, base::Purpose::kEnvReset, 0, 0);
    env->reset(row, stream);
  }
  for (int k = 0; k < 30; ++k) {
    env->step(std::vector<float>{2, 3});
    ASSERT_EQ(seen(*env, 0), seen(*env, 1)) << "up and down are nothing done";
  }
}

TEST_F(Atari, FireBeginsEpisodesOfGamesThatWaitForIt) {
  const auto still = made("atari:breakout", "noops=0"),
             served = made("atari:breakout", "noops=0,fire=1");
  start_all(*still, 1);
  start_all(*served, 1);
  std::size_t moving = 0;
  Seen before = seen(*still, 0);
  for (int k = 0; k < 20; ++k) {
    still->step(std::vector<float>{0});
    served->step(std::vector<float>{0});
    moving += seen(*served, 0) != seen(*still, 0);
  }
  EXPECT_GT(moving, 10U) << "a ball";
}

// A life of Breakout is lost within a few hundred decisions when nothing but FIRE is pressed.
TEST_F(Atari, ALostLifeEndsADecisionNotTheEpisode) {
  const auto env = made("atari:breakout", "life-loss=1");
  start_all(*env, 1);
  int lost = 0, decisions = 0;
  for (; !over(*env, 0) && decisions < 2000; ++decisions) {
    env->step(std::vector<float>{1});
    lost += env->life_lost()[0];
    ASSERT_LE(env->life_lost()[0] + env->terminal()[0], 1);
  }
  EXPECT_EQ(lost, 4) << "the fifth ends the game";
  EXPECT_EQ(env->terminal()[0], 1);
  EXPECT_THROW(env->step(std::vector<float>{1}), base::Error) << "the episode is over";
}

TEST_F(Atari, LimitsTruncate) {
  // 30 frames, the no-ops among them: 1 no-op and 7 decisions of 4 are 29, the eighth is cut.
  const auto frames = made("atari:pong", "noops=1,frames=30"),
             horizon = made("atari:pong", "", 1, 5);
  for (const auto& [env, length] : {std::pair{frames.get(), 8}, std::pair{horizon.get(), 5}}) {
    start_all(*env, 1);
    for (int k = 0; k < length; ++k) {
      ASSERT_FALSE(over(*env, 0)) << k;
      env->step(std::vector<float>{0});
    }
    EXPECT_EQ(env->truncated()[0], 1);
    EXPECT_EQ(env->terminal()[0], 0);
    start_all(*env, 2);
    EXPECT_EQ(env->truncated()[0], 0);
  }
}

TEST_F(Atari, RefusesWhatIsNoActionGameOrSetting) {
  const auto env = made("atari:pong");
  start_all(*env, 1);
  EXPECT_THROW(env->step(std::vector<float>{6}), base::Error);
  EXPECT_THROW(env->step(std::vector<float>{0.5F}), base::Error);
  EXPECT_THROW(env->step(std::vector<float>{std::numeric_limits<float>::quiet_NaN()}), base::Error);
  const auto refusal = [](const std::string& task, const std::string& settings, bool end = true) {
    EnvOptions options;
    options.settings = settings;
    options.terminate_on_fall = end;
    try {
      make_env(task, 1, options);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      return std::string(error.what());
    }
    return std::string("not refused");
  };
  EXPECT_THAT(refusal("atari:pung", ""), HasSubstr("Did you mean atari:pong?"));
  EXPECT_THAT(refusal("atari:joust", ""), HasSubstr("more than one player"));
  EXPECT_THAT(refusal("atari:pong", "noop=3"), HasSubstr("noops"));
  EXPECT_THAT(refusal("atari:pong", "", false), HasSubstr("--terminate-on-fall"));
}

}  // namespace
}  // namespace tenfold::env
