// The race as a game: choices, opponents, the driver and the picture.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "env/racing/driver.hpp"
#include "env_play.hpp"

namespace tenfold::env::racing {
namespace {

using std::numbers::pi;

std::unique_ptr<BatchEnv> made(const std::string& settings, std::int64_t horizon = 0,
                               std::size_t size = 1) {
  EnvOptions options;
  options.settings = settings;
  options.horizon = horizon;
  return make_env("racing", size, options);
}

// Full lock and full pedals, over the paper's nine combinations.
TEST(RacingGame, ChoicesAreTheContinuousActionsTheyStandFor) {
  const auto game = made("picture=16", 300), task = make_env("torcs", 1, {.horizon = 300});
  start_all(*game, 5), start_all(*task, 5);
  base::Stream draws(5, base::Purpose::kTest, 0, 0);
  const float pedals[] = {1, -1, 0}, steers[] = {1, 0, -1};
  for (int k = 0; k < 300; ++k) {
    // Some throttle, so that it gets somewhere.
    const std::uint64_t choice = draws.below(3) > 0 ? draws.below(3) : draws.below(9);
    game->step(std::vector<float>{static_cast<float>(choice)});
    task->step(std::vector<float>{steers[choice % 3], pedals[choice / 3]});
    ASSERT_EQ(game->rewards()[0], task->rewards()[0]) << k;
    const std::vector<double> mine = state_of(*game, 0), other = state_of(*task, 0);
    ASSERT_TRUE(std::equal(other.begin(), other.begin() + kRideSize, mine.begin())) << k;
  }
  EXPECT_EQ(game->truncated()[0], 1);
  EXPECT_EQ(controls_of(8).steer, -1);
  EXPECT_EQ(controls_of(8).pedal, 0);
}

TEST(RacingGame, RefusesWhatIsNoChoice) {
  const auto game = made("picture=16");
  start_all(*game, 1);
  for (const float bad : {-1.F, 9.F, 0.5F}) {
    EXPECT_THROW(game->step(std::vector<float>{bad}), base::Error) << bad;
  }
  EXPECT_THROW(made("opponents=4"), base::Error);
}

// A row on a circle of radius 100, driven 20 m/s along the middle line's tangent, and an opponent.
class Race {
 public:
  explicit Race(const std::string& settings) : env_(made(settings + ",picture=84")) {
    start_all(*env_, 1);
    state_ = state_of(*env_, 0);
    std::fill_n(state_.begin(), Track::kPoints, 100.0);
  }
  void at(double along, double aside, double turn, double speed) {
    const Point point = circle_.at(along, aside);
    const double ride[] = {
        point.x, point.y, circle_.centre(along).heading + turn, speed, 0, along, 0, 0, 0};
    std::copy(std::begin(ride), std::end(ride), state_.begin() + Track::kPoints);
  }
  void other(double along, double aside, double speed, double cruise) {
    const double numbers[] = {along, aside, speed, cruise};
    std::copy(std::begin(numbers), std::end(numbers), state_.begin() + kRideSize + 4);
  }
  void load() { env_->load(0, state_); }
  float step(int choice) {
    env_->step(std::vector<float>{static_cast<float>(choice)});
    return env_->rewards()[0];
  }
  const RacingGame& game() const { return dynamic_cast<const RacingGame&>(*env_); }
  const Ride& ride() const { return game().ride(0); }
  const Opponent& opponent() const { return game().opponents(0)[0]; }
  double ahead() const { return ride().track.ahead(ride().along, opponent().along); }
  double fact(std::size_t k) const { return env_->episode_facts(0)[k].second; }
  int channel(int row, int column, int k) const {
    return env_->frames()[static_cast<std::size_t>(3 * (84 * row + column) + k)];
  }
  const Track& circle() const { return circle_; }
  BatchEnv& env() { return *env_; }

 private:
  std::unique_ptr<BatchEnv> env_;
  Track circle_ = Track(Track::circle(100));
  std::vector<double> state_;
};

constexpr int kAccelerate = 1, kBrake = 4, kNothing = 7, kHardLeft = 6;  // straight but the last

TEST(RacingGame, TheSlowCarHasHalfTheSpeedAndItsRewardIsOfItsOwn) {
  Race slow("fast=0"), fast("fast=1");
  for (Race* race : {&slow, &fast}) {
    race->at(0, 0, 0, 20);
    race->load();
  }
  // Less what drag takes in 50 ms: 8 (20 / top)^2 / 20.
  EXPECT_NEAR(slow.step(kNothing), (20 - 0.4 * 0.64) / 25, 1e-3);
  EXPECT_NEAR(fast.step(kNothing), (20 - 0.4 * 0.16) / 50, 1e-3);
  EXPECT_EQ(slow.game().car().top_speed, 25);
}

TEST(RacingGame, LeavingTheTrackCostsOneAndIsCounted) {
  Race race("fast=1");
  race.at(50, 4, pi / 6, 20);
  race.load();
  EXPECT_NEAR(race.step(kNothing), 20 * std::cos(pi / 6) / 50 - 1, 0.01);
  EXPECT_EQ(race.fact(1), 1);
  EXPECT_EQ(race.fact(2), 0);
}

// 20 m/s into a car of 8 m/s that is less than a car's length ahead.
TEST(RacingGame, RunningIntoACarCostsOneAndPutsTheOwnBehind) {
  Race race("opponents=1");
  race.at(50, 0, 0, 20);
  race.other(54.5, 0.3, 8, 8);
  race.load();
  const float reward = race.step(kNothing);
  EXPECT_NEAR(reward, 4. / 50 - 1, 0.01);
  EXPECT_NEAR(race.ahead(), Opponent::kLength, 1e-6);
  EXPECT_NEAR(race.ride().car.speed, 4, 0.3) << "half of its speed";
  EXPECT_EQ(race.fact(2), 1);
  EXPECT_GT(race.step(kNothing), 0) << "and it is over";
}

TEST(RacingGame, TouchingACarBesidePutsTheOwnAside) {
  for (const double side : {1.0, -1.0}) {
    Race race("opponents=1");
    race.at(50, -side, 0, 20);
    race.other(50, side * 0.7, 20, 20);
    race.load();
    const float reward = race.step(kNothing);
    EXPECT_LT(reward, -0.6);
    EXPECT_NEAR(std::abs(offset(race.ride()) - race.opponent().offset), Opponent::kWidth, 1e-2);
    EXPECT_NEAR(race.ride().car.speed, 0.8 * 20, 0.5);
    EXPECT_LT(side * offset(race.ride()), 0);
  }
}

// Between the other car and the edge there is no room: then along the track.
TEST(RacingGame, IsNeverPutOffTheTrackNorLeftInAnotherCar) {
  Race race("opponents=1");
  base::Stream draws(2, base::Purpose::kTest, 0, 0);
  int hits = 0;
  for (int k = 0; k < 400; ++k) {
    race.at(100, draws.uniform(-4, 4), draws.uniform(-0.5, 0.5), draws.uniform(0, 40));
    race.other(100 + draws.uniform(-6, 6), draws.uniform(-2.5, 2.5), draws.uniform(0, 25), 25);
    race.load();
    for (int steps = 0; steps < 5; ++steps) {
      race.step(static_cast<int>(draws.below(9)));
      ASSERT_LE(std::abs(offset(race.ride())), Track::kHalfWidth - 0.9 + 1e-2);
      const double across = std::abs(offset(race.ride()) - race.opponent().offset);
      ASSERT_TRUE(std::abs(race.ahead()) > Opponent::kLength - 1e-6 ||
                  across > Opponent::kWidth - 1e-2)
          << race.ahead() << ' ' << across;
    }
    hits += static_cast<int>(race.fact(2));
  }
  EXPECT_GT(hits, 100);
}

TEST(RacingGame, OpponentsStopBehindACarThatStands) {
  Race race("opponents=1");
  race.at(100, 0, 0, 0);
  race.other(40, 0.5, 25, 25);
  race.load();
  for (int k = 0; k < 200; ++k) race.step(kBrake);
  EXPECT_EQ(race.fact(2), 0);
  EXPECT_LT(race.opponent().speed, 0.1);
  EXPECT_NEAR(-race.ahead(), Opponent::kLength + 3, 0.3);
}

TEST(RacingGame, OpponentsDriveOnAndSlowDownForBends) {
  Race race("opponents=1");
  race.at(0, 0, 0, 0);
  race.other(20, 0, 0, 25);
  race.load();
  for (int k = 0; k < 160; ++k) race.step(kBrake);
  // Radius 100 at half the grip: sqrt(5 * 100) = 22.4 m/s, reached at 5 m/s^2 in 4.5 s.
  EXPECT_NEAR(race.opponent().speed, std::sqrt(500), 0.4);
  EXPECT_NEAR(race.opponent().along, 20 + 0.5 * 500 / 5 + (8 - 4.472) * 22.36, 3);
}

TEST(RacingGame, EndsWithoutProgressAndIsTruncatedInTime) {
  Race race("fast=1");
  race.at(0, 0, 0, 0);
  race.load();
  for (int k = 1; k <= 500; ++k) {
    race.step(kBrake);
    ASSERT_EQ(race.env().terminal()[0], k == 500);
  }
  const auto game = made("picture=16", 40);
  start_all(*game, 1);
  for (int k = 1; k <= 40; ++k) {
    game->step(std::vector<float>{kAccelerate});
    ASSERT_EQ(game->truncated()[0], k == 40);
  }
}

// The paper's four settings: the stand-in for a person drives laps, and hardly touches anything.
TEST(Driver, GoesRoundInAllFourSettings) {
  for (const std::string settings :
       {"fast=0,opponents=0", "fast=1,opponents=0", "fast=0,opponents=3", "fast=1,opponents=3"}) {
    const auto env = made(settings + ",picture=16", 2000);
    const auto& game = dynamic_cast<const RacingGame&>(*env);
    start_all(*env, 3);
    double score = 0;
    while (env->truncated()[0] == 0 && env->terminal()[0] == 0) {
      const auto choice = choose_line(game.car(), game.ride(0), game.opponents(0), 0.05);
      env->step(std::vector<float>{static_cast<float>(choice)});
      score += env->rewards()[0];
    }
    const auto facts = env->episode_facts(0);
    EXPECT_EQ(env->truncated()[0], 1);
    EXPECT_GT(facts[0].second, 1.5) << settings << ": laps in 100 s";
    EXPECT_LT(facts[1].second + facts[2].second, 40) << settings;
    EXPECT_GT(score, settings[5] == '1' ? 700 : 1200) << settings;
  }
}

bool yellow(const Race& race, int row, int column) {
  return race.channel(row, column, 0) > 120 && race.channel(row, column, 1) > 100 &&
         race.channel(row, column, 2) < 60;
}

// The rear of a car d ahead of the camera is 1.8 m wide: 0.714 * 84 * 1.8 / d pixels.
TEST(ChaseView, ShowsACarAheadWhereItIs) {
  Race race("opponents=1");
  race.at(50, 0, 0, 20);
  race.other(62, 0, 8, 8);
  race.load();
  int begin = 84, end = 0;
  for (int column = 0; column < 84; ++column) {
    for (int row = 30; row < 60; ++row) {
      if (!yellow(race, row, column)) continue;
      begin = std::min(begin, column);
      end = std::max(end, column + 1);
    }
  }
  const double ahead = 100 * std::sin(0.12) + 7 - 0.8, left = 100 * (1 - std::cos(0.12));
  EXPECT_NEAR(end - begin, 60 * 1.8 / ahead, 2);
  EXPECT_NEAR((begin + end) / 2., 42 - 60 * left / ahead, 2) << "the bend goes to the left";
  race.other(45, 0, 8, 8);  // beside and behind the camera: 50 - 7 = 43
  race.load();
  race.other(30, 0, 8, 8);
  race.load();
  for (int column = 0; column < 84; ++column) {
    for (int row = 0; row < 80; ++row) ASSERT_FALSE(yellow(race, row, column));
  }
}

TEST(ChaseView, ShowsSpeedAndTheBrake) {
  Race race("fast=1");
  race.at(50, 0, 0, 25);
  race.load();
  const auto bright = [&](int column) { return race.channel(83, column, 0) == 255; };
  EXPECT_TRUE(bright(41) && !bright(42)) << "half of the top speed";
  const auto brightest_red = [&] {
    int most = 0;
    for (int row = 40; row < 75; ++row) {
      for (int column = 30; column < 54; ++column) {
        most = std::max(most, race.channel(row, column, 0) - race.channel(row, column, 1));
      }
    }
    return most;
  };
  race.step(kNothing);
  const int before = brightest_red();
  race.step(kBrake);
  EXPECT_GT(brightest_red(), before + 10);
}

TEST(ChaseView, HasTheSameBytesAgainAndAfterALoad) {
  const auto one = made("opponents=3"), two = made("opponents=3", 0, 2);
  start_all(*one, 8), start_all(*two, 8);
  base::Stream draws(8, base::Purpose::kTest, 0, 0);
  std::vector<float> actions;
  std::vector<double> state;
  for (int k = 0; k < 120; ++k) {
    const auto choice = static_cast<float>(draws.below(3) > 0 ? draws.below(3) : draws.below(9));
    one->step(std::vector<float>{choice});
    two->step(std::vector<float>{choice, kHardLeft});
    ASSERT_TRUE(std::equal(one->frames().begin(), one->frames().end(), two->frames().begin()));
    if (k == 60) state = state_of(*one, 0);
    if (k > 60) actions.push_back(choice);
  }
  two->load(1, state);
  for (const float choice : actions) two->step(std::vector<float>{kAccelerate, choice});
  const auto frames = two->frames().subspan(one->frames().size());
  EXPECT_TRUE(std::equal(frames.begin(), frames.end(), one->frames().begin()));
  EXPECT_EQ(state_of(*two, 1), state_of(*one, 0));
}

}  // namespace
}  // namespace tenfold::env::racing
