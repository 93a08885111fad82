// What games leave to chance, and the tasks of memory.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "env/games/chance.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

// Fractions of n draws within four standard errors.
void expect_fraction(int count, int n, double expected) {
  const double error = std::sqrt(expected * (1 - expected) / n);
  EXPECT_NEAR(static_cast<double>(count) / n, expected, 4 * error);
}

TEST(GameChance, StickyActionsAreDoneAgainAsOftenAsToldTo) {
  base::Stream draws(1, base::Purpose::kTest, 0, 0);
  games::Sticky sticky{};
  int again = 0;
  for (int k = 1; k <= 20000; ++k) {
    const int before = sticky.held, chosen = sticky.choose(0.1, k, draws);
    ASSERT_TRUE(chosen == k || chosen == before);
    again += chosen != k;
  }
  expect_fraction(again, 20000, 0.1);
  EXPECT_EQ(sticky.choose(1, -5, draws), sticky.held);
  EXPECT_EQ(sticky.choose(0, -5, draws), -5);
}

TEST(GameChance, AStepsDrawsDependOnTheEpisodeAndTheStepAlone) {
  base::Stream stream(1, base::Purpose::kTest, 0, 0);
  games::Chance one{};
  one.reset(stream);
  games::Chance two = one;
  base::Stream first = one.draws();
  first.uniform();
  first.uniform();
  two.draws();
  base::Stream a = one.draws(), b = two.draws();
  EXPECT_EQ(a.bits(), b.bits()) << "whatever the step before drew";
  games::Chance other{};
  other.reset(stream);
  other.step = two.step;
  EXPECT_NE(other.draws().bits(), two.draws().bits());
}

struct Play {
  double mean, deviation, length;
  int episodes;
};

// Random play of the six actions that all of MinAtar's games take: those that a game has no use for
// wait.
Play random_play(const std::string& game, const std::string& settings,
                 const std::array<float, 6>& actions, int steps) {
  const auto env = make_env(game, 1, {.settings = settings});
  base::Stream pick(3, base::Purpose::kTest, 1, 0), starts(3, base::Purpose::kTest, 2, 0);
  env->reset(0, starts);
  double total = 0, sum = 0, squares = 0;
  int episodes = 0, taken = 0, within_episodes = 0;
  for (int k = 0; k < steps; ++k) {
    env->step(std::span(&actions[pick.below(6)], 1));
    total += env->rewards()[0];
    ++taken;
    if (env->terminal()[0] == 0 && env->truncated()[0] == 0) continue;
    sum += total;
    squares += total * total;
    within_episodes += taken;
    ++episodes;
    total = taken = 0;
    env->reset(0, starts);
  }
  const double mean = sum / episodes;
  return {mean, std::sqrt(squares / episodes - mean * mean),
          static_cast<double>(within_episodes) / episodes, episodes};
}

// Means per episode of 20 000 steps of the public Python code without sticky actions (shared notes
// on the paper, section 4). Both sides have a standard error; what we allow is three of the
// difference's.
TEST(GameChance, RandomPlayIsAsGoodAsInThePublicCode) {
  struct Known {
    std::string name;
    double mean;
    std::array<float, 6> actions;  // wait, left, up, right, down, fire
  };
  const std::vector<Known> all = {{"breakout", 0.53, {0, 1, 0, 2, 0, 0}},
                                  {"asterix", 0.54, {0, 1, 2, 3, 4, 0}},
                                  {"space_invaders", 3.0, {0, 1, 0, 2, 0, 3}},
                                  {"seaquest", 0.09, {0, 1, 2, 3, 4, 5}},
                                  {"freeway", 0.0, {0, 0, 1, 0, 2, 0}}};
  for (const Known& known : all) {
    const Play play = random_play(known.name, "sticky=0", known.actions, 200000);
    const double theirs = play.deviation / std::sqrt(20000 / play.length);
    const double ours = play.deviation / std::sqrt(play.episodes);
    EXPECT_NEAR(play.mean, known.mean, 3 * std::hypot(theirs, ours)) << known.name;
  }
}

// Where the ball starts does not depend on the paddle: 1 in 12 is caught.
TEST(Catch, RandomPlayCatchesOneInTwelve) {
  const Play play = random_play("catch", "", {0, 1, 2, 0, 1, 2}, 110000);
  EXPECT_EQ(play.length, 11);
  EXPECT_NEAR(play.mean, 2.0 / 12 - 1, 4 * play.deviation / std::sqrt(play.episodes));
}

TEST(Catch, FollowingTheBallCatchesItAlways) {
  const auto env = make_env("catch", 1, {.settings = "rows=9,columns=7"});
  EXPECT_EQ(env->spec().picture, (std::array<std::int64_t, 3>{9, 7, 1}));
  base::Stream starts(1, base::Purpose::kTest, 0, 0);
  for (int episode = 0; episode < 50; ++episode) {
    env->reset(0, starts);
    int steps = 0;
    while (env->terminal()[0] == 0) {
      const auto seen = env->observations();
      const auto ball = std::find(seen.begin(), seen.end(), 1.0F) - seen.begin();
      const auto paddle = std::find(seen.end() - 7, seen.end(), 1.0F) - (seen.end() - 7);
      const auto column = ball % 7;
      env->step(std::vector<float>{column < paddle ? 0.0F : column > paddle ? 2.0F : 1.0F});
      ++steps;
      EXPECT_EQ(env->rewards()[0], steps == 8 ? 1 : 0);
    }
    EXPECT_EQ(steps, 8);
  }
}

TEST(Catch, FlickeringFramesAreBlankAsOftenAsToldToAndHideNothingElse) {
  const auto clear = make_env("catch", 1), half = make_env("catch", 1, {.settings = "flicker=0.5"});
  int blank = 0, frames = 0;
  for (std::uint32_t episode = 0; episode < 500; ++episode) {
    start_all(*clear, episode);
    start_all(*half, episode);
    for (std::uint64_t step = 0;; ++step) {
      const std::vector<float> seen = observation_of(*half, 0);
      const bool nothing = seen == std::vector<float>(144);
      ASSERT_TRUE(nothing || seen == observation_of(*clear, 0));
      blank += nothing;
      ++frames;
      if (clear->terminal()[0] != 0) break;
      const std::vector<float> actions = random_actions(*clear, episode, step);
      clear->step(actions);
      half->step(actions);
      ASSERT_EQ(half->rewards()[0], clear->rewards()[0]);
    }
  }
  EXPECT_EQ(frames, 6000);
  expect_fraction(blank, frames, 0.5);
}

std::unique_ptr<BatchEnv> maze(double prize_right, const std::string& settings = "") {
  auto env = make_env("tmaze", 1, {.settings = settings});
  start_all(*env, 1);
  env->load(0, std::vector<double>{0, prize_right, 0});
  return env;
}

// After the start nothing tells the two mazes apart but the rewards, which are opposite: a policy
// without memory gets 0 in the mean of both.
TEST(TMaze, OnlyTheStartTellsWhereThePrizeIs) {
  for (const float arm : {1.0F, 2.0F}) {
    const auto left = maze(0), right = maze(1);
    EXPECT_EQ(observation_of(*left, 0), (std::vector<float>{1, 0, 0, 0}));
    EXPECT_EQ(observation_of(*right, 0), (std::vector<float>{0, 1, 0, 0}));
    for (const float action : {1.0F, 2.0F, 0.0F, 2.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, arm}) {
      left->step(std::vector<float>{action});
      right->step(std::vector<float>{action});
      if (left->observations()[0] == 0) {
        EXPECT_EQ(observation_of(*left, 0), observation_of(*right, 0));
      }
      EXPECT_EQ(left->rewards()[0], -right->rewards()[0]);
    }
    EXPECT_EQ(left->rewards()[0], arm == 1 ? 1 : -1);
    EXPECT_EQ(left->terminal()[0], 1);
  }
}

TEST(TMaze, TheCorridorIsAsLongAsToldTo) {
  for (const int length : {1, 6, 20}) {
    const auto env = maze(1, "length=" + std::to_string(length));
    for (int k = 0; k < length; ++k) {
      EXPECT_EQ(env->observations()[3], 0);
      EXPECT_EQ(env->observations()[2], k > 0 ? 1 : 0);
      env->step(std::vector<float>{0});
    }
    EXPECT_EQ(observation_of(*env, 0), (std::vector<float>{0, 0, 0, 1}));
    env->step(std::vector<float>{0});
    EXPECT_EQ(observation_of(*env, 0), (std::vector<float>{0, 0, 0, 1})) << "a wall";
    env->step(std::vector<float>{2});
    EXPECT_EQ(env->rewards()[0], 1);
  }
}

TEST(TMaze, ThePrizeIsOnEitherSideAsOften) {
  const auto env = make_env("tmaze", 1);
  int right = 0;
  for (std::uint32_t episode = 0; episode < 2000; ++episode) {
    start_all(*env, episode);
    right += env->observations()[1] == 1;
  }
  expect_fraction(right, 2000, 0.5);
}

}  // namespace
}  // namespace tenfold::env
