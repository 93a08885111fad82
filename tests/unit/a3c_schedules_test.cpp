// What changes over a run, and what is drawn for each actor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "a3c/actor.hpp"
#include "a3c/learning/schedules.hpp"
#include "base/error.hpp"

namespace tenfold::a3c {
namespace {

TEST(Schedules, TheStepSizeGoesToZeroWithTheRun) {
  Config config;
  config.lr = 0.02;
  config.total_steps = 1000;
  EXPECT_DOUBLE_EQ(learning_rate(config, 0), 0.02);
  EXPECT_DOUBLE_EQ(learning_rate(config, 250), 0.75 * 0.02);
  EXPECT_EQ(learning_rate(config, 1000), 0);
  EXPECT_EQ(learning_rate(config, 1004), 0) << "a last rollout goes beyond the end";
  config.lr_anneal = "none";
  EXPECT_EQ(learning_rate(config, 1000), 0.02);
}

TEST(Schedules, ExplorationComesToItsLastRate) {
  Config config;
  config.epsilon_anneal = 400;
  for (const double last : {0.1, 0.01, 0.5, 0.0}) {
    EXPECT_DOUBLE_EQ(exploration(config, last, 0), 1);
    EXPECT_DOUBLE_EQ(exploration(config, last, 200), (1 + last) / 2);
    EXPECT_NEAR(exploration(config, last, 400), last, 1e-15);
    EXPECT_NEAR(exploration(config, last, 4000), last, 1e-15);
  }
  config.epsilon_anneal = 0;
  EXPECT_EQ(exploration(config, 0.1, 0), 0.1);
}

TEST(Schedules, LastRatesAreDrawnWithTheirWeights) {
  Config config;
  config.task = "tmaze";
  constexpr int kActors = 10000;
  std::map<double, double> share;
  for (int number = 0; number < kActors; ++number) {
    share[Actor(config, static_cast<std::size_t>(number), 1, 0, 0).final_epsilon()] +=
        1.0 / kActors;
  }
  ASSERT_EQ(share.size(), 3U);
  EXPECT_NEAR(share.at(0.1), 0.4, 0.02);
  EXPECT_NEAR(share.at(0.01), 0.3, 0.02);
  EXPECT_NEAR(share.at(0.5), 0.3, 0.02);
}

TEST(Schedules, ListsOfRatesAreRead) {
  const auto pairs = [](const std::string& text) {
    std::vector<std::pair<double, double>> found;
    for (const EpsilonChoice& each : epsilon_choices(text)) {
      found.emplace_back(each.epsilon, each.weight);
    }
    return found;
  };
  using testing::ElementsAre;
  using testing::Pair;
  EXPECT_THAT(pairs("0.2"), ElementsAre(Pair(0.2, 1)));
  EXPECT_THAT(pairs("0.1:1,0.5:3"), ElementsAre(Pair(0.1, 0.25), Pair(0.5, 0.75)));
  EXPECT_THAT(pairs("0:0,1:2"), ElementsAre(Pair(0, 0), Pair(1, 1)));
  for (const char* wrong : {"", "0.1,", ",0.1", "1.1", "-0.1", "0.1:-1", "0.1:", "nan", "0.1:nan",
                            "0.1:0", "0.1:1:2", "0.1 ", "0x1", "0.1;0.2"}) {
    EXPECT_THROW(epsilon_choices(wrong), base::Error) << wrong;
  }
}

}  // namespace
}  // namespace tenfold::a3c
