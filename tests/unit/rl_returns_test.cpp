#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "rl/returns.hpp"

namespace tenfold::rl {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

std::vector<float> n_step(const std::vector<float>& rewards, const std::vector<After>& after,
                          const std::vector<float>& bootstrap, double gamma, std::size_t rows = 1) {
  std::vector<float> returns(rewards.size());
  n_step_returns({rewards.size() / rows, rows, rewards, after, bootstrap, gamma}, returns);
  return returns;
}

TEST(Returns, AreThoseOfTheHandComputedRollout) {
  const std::vector<After> goes_on(3, After::kNext);
  EXPECT_THAT(n_step({1, 2, 3}, goes_on, {0, 0, 8}, 0.5), ElementsAre(3.75, 5.5, 7));
  const std::vector<After> ends{After::kNext, After::kNext, After::kEnd};
  EXPECT_THAT(n_step({1, 2, 3}, ends, {0, 0, 8}, 0.5), ElementsAre(2.75, 3.5, 3));
}

TEST(Returns, BootstrapWhereATimeLimitCutTheEpisode) {
  const std::vector<After> after{After::kNext, After::kCut, After::kNext};
  EXPECT_THAT(n_step({1, 2, 3}, after, {100, 4, 8}, 0.5), ElementsAre(3, 4, 7));
}

TEST(Returns, KeepRowsApart) {
  // Row 0 ends after its first step, row 1 does not.
  const std::vector<After> after{After::kEnd, After::kNext, After::kNext, After::kNext};
  EXPECT_THAT(n_step({1, 10, 2, 20}, after, {9, 9, 4, 40}, 0.5, 2), ElementsAre(1, 30, 4, 40));
}

TEST(LambdaReturns, WithLambdaOneAreNStepReturns) {
  const std::vector<float> rewards{1, 2, 3, -1}, values{0.5, -1, 2, 0.25}, bootstrap{0, 7, 0, 8};
  const std::vector<After> after{After::kNext, After::kCut, After::kNext, After::kNext};
  const RolloutFacts facts{4, 1, rewards, after, bootstrap, 0.9};
  std::vector<float> expected(4), advantages(4), returns(4);
  n_step_returns(facts, expected);
  lambda_returns(facts, 1, values, advantages, returns);
  EXPECT_THAT(returns, Pointwise(FloatNear(1e-6), expected));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(advantages[i], expected[i] - values[i], 1e-6);
}

TEST(LambdaReturns, AreTheSumOfDiscountedErrors) {
  const std::vector<float> rewards{1, 2, 3}, values{0.5, -1, 2}, bootstrap{0, 0, 8};
  const std::vector<After> after(3, After::kNext);
  std::vector<float> advantages(3), returns(3);
  lambda_returns({3, 1, rewards, after, bootstrap, 0.9}, 0.7, values, advantages, returns);
  const std::array<double, 3> delta{1 + 0.9 * -1 - 0.5, 2 + 0.9 * 2 - -1, 3 + 0.9 * 8 - 2};
  const double weight = 0.9 * 0.7;
  EXPECT_NEAR(advantages[0], delta[0] + weight * delta[1] + weight * weight * delta[2], 1e-5);
  EXPECT_NEAR(advantages[1], delta[1] + weight * delta[2], 1e-5);
  EXPECT_NEAR(advantages[2], delta[2], 1e-5);
}

}  // namespace
}  // namespace tenfold::rl
