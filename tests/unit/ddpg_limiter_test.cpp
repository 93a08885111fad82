// The replay-ratio limiter and the warm-up against closed forms.
#include <gtest/gtest.h>

#include <cmath>

#include "ddpg/topology/acting_rank.hpp"
#include "ddpg/topology/limiter.hpp"

namespace tenfold::ddpg {
namespace {

// Acting is as fast as it may, an update takes one unit of time: the lead that builds up.
struct Race {
  double most_due = 0;
  std::int64_t updates = 0, rounds = 0, most_lead = 0;
};

// Each turn acting does all rounds that it may, then learning does `speed` updates.
Race race(double ratio, std::uint64_t decisions, double band, int speed, int turns) {
  Limiter limiter(ratio, decisions, band);
  Race race;
  for (int turn = 0; turn < turns; ++turn) {
    while (limiter.may_act(limiter.backlog(), 0)) {
      ++race.rounds;
      limiter.credit();
      race.most_due = std::max(race.most_due, limiter.backlog());
      if (ratio == 0 && race.rounds > 1000) return race;
    }
    for (int k = 0; k < speed && limiter.due(); ++k, ++race.updates) limiter.updated();
  }
  return race;
}

TEST(Limiter, WithoutABandEveryRoundWaitsForItsUpdates) {
  // One round of 8 decisions at ratio 1 a turn, when 8 updates fit into a turn.
  const Race exact = race(1, 8, 0, 8, 100);
  EXPECT_EQ(exact.rounds, 100);
  EXPECT_EQ(exact.updates, 800);
  EXPECT_EQ(exact.most_due, 8);
  // 0.375 * 4 = 1.5 updates a round: 1 and 2 in turn.
  Limiter limiter(0.375, 4, 0);
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(limiter.may_act(limiter.backlog(), 0));
    limiter.credit();
    int updates = 0;
    for (; limiter.due(); ++updates) {
      EXPECT_FALSE(limiter.may_act(limiter.backlog(), 0));
      limiter.updated();
    }
    EXPECT_EQ(updates, round % 2 == 0 ? 1 : 2);
  }
}

TEST(Limiter, ActingIsAheadByTheBandAndNoMore) {
  // Slow learning: the first turn acts until the backlog reaches 1 + r * band; backlogs are
  // multiples of r * D = 4, so it ends at the first multiple of 4 that is not below 33.
  const Race slow = race(0.5, 8, 64, 1, 1000);
  EXPECT_EQ(slow.most_due, 36);
  // From then on one round for every 4 updates.
  EXPECT_NEAR(static_cast<double>(slow.updates) / static_cast<double>(8 * slow.rounds), 0.5,
              36.0 / static_cast<double>(8 * slow.rounds));
}

TEST(Limiter, TheRatioHoldsWithinTheBandAtEverySpeed) {
  for (const double ratio : {0.1, 0.25, 1.0, 3.0}) {
    for (const double band : {0.0, 16.0, 200.0}) {
      for (const int speed : {1, 7, 1000}) {
        const Race done = race(ratio, 8, band, speed, 500);
        const double due = ratio * 8 * static_cast<double>(done.rounds);
        EXPECT_LE(static_cast<double>(done.updates), due + 1e-6);
        EXPECT_LT(due - static_cast<double>(done.updates), 1 + ratio * (band + 8) + 1e-6);
      }
    }
  }
}

TEST(Limiter, WithoutUpdatesActingNeverWaits) {
  EXPECT_GT(race(0, 8, 0, 1, 1).rounds, 1000);
}

TEST(Limiter, RoundsThatTheLearnersHaveNotSeenCountAsDue) {
  const Limiter limiter(0.5, 8, 16);  // 4 updates a round, fewer than 9 due
  EXPECT_TRUE(limiter.may_act(0.5, 2));
  EXPECT_FALSE(limiter.may_act(1, 2));
  EXPECT_TRUE(limiter.may_act(8.5, 0));
  EXPECT_FALSE(limiter.may_act(9, 0));
}

TEST(WarmUp, EndsWithTheRandomDecisionsAndAFilledMemory) {
  // 8 decisions a round; 20 random ones end in round 2, so the first round that counts is 3.
  const WarmUp random{8, 20, 1, 100, 1, 0, 0};
  EXPECT_FALSE(random.over(2));
  EXPECT_TRUE(random.over(3));
  // 2 of each round in a shard, 7 wanted: with round 3 there are 8.
  const WarmUp filling{16, 0, 2, 100, 7, 0, 0};
  EXPECT_FALSE(filling.over(2));
  EXPECT_TRUE(filling.over(3));
  // From a checkpoint of round 50: with what it held, and without.
  EXPECT_TRUE((WarmUp{16, 0, 2, 100, 7, 50, 50}).over(50));
  const WarmUp refilling{16, 0, 2, 100, 7, 50, 0};
  EXPECT_FALSE(refilling.over(52));
  EXPECT_TRUE(refilling.over(53));
  // Of pictures the newest 2 of a shard wait for the next ones: a round later.
  const WarmUp pictures{16, 0, 2, 100, 7, 0, 0, 2};
  EXPECT_FALSE(pictures.over(3));
  EXPECT_TRUE(pictures.over(4));
  // A memory that is smaller than what is wanted would wait for ever: full is enough.
  EXPECT_TRUE((WarmUp{8, 0, 1, 4, 4, 0, 0}).over(3));
}

// Horgan et al. 2018, section 4: e_i = e^(1 + 7 i / (A - 1)).
TEST(NoiseLadder, ScalesSigmaByActor) {
  Config config;
  config.sigma = 0.2;
  EXPECT_EQ(actor_sigma(config, 3, 4), 0.2);
  config.actor_noise_ladder = 0.4;
  EXPECT_NEAR(actor_sigma(config, 0, 8), 0.2 * 0.4, 1e-15);
  EXPECT_NEAR(actor_sigma(config, 7, 8), 0.2 * 0.00065536, 1e-15);  // 0.4^8
  EXPECT_NEAR(actor_sigma(config, 1, 8), 0.2 * 0.16, 1e-15);        // 0.4^2
  EXPECT_NEAR(actor_sigma(config, 0, 1), 0.2 * 0.4, 1e-15);
}

}  // namespace
}  // namespace tenfold::ddpg
