#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "rl/policy_heads.hpp"

namespace tenfold::rl {
namespace {

// d f / d outputs by central differences, in double.
std::vector<double> differences(const std::function<double(const std::vector<double>&)>& f,
                                const std::vector<float>& outputs) {
  std::vector<double> at(outputs.begin(), outputs.end()), result;
  for (double& each : at) {
    const double here = each, h = 1e-5;
    each = here + h;
    const double above = f(at);
    each = here - h;
    result.push_back((above - f(at)) / (2 * h));
    each = here;
  }
  return result;
}

TEST(Categorical, GradientOfTheHandComputedCase) {
  const std::array<float, 2> logits{0, 0};
  std::array<float, 2> p{}, gradient{};
  const double entropy = Categorical::probabilities(logits, p);
  EXPECT_NEAR(entropy, std::log(2.0), 1e-7);
  Categorical::gradient(p, entropy, 0, {.advantage = 2}, gradient);
  EXPECT_FLOAT_EQ(gradient[0], -1);
  EXPECT_FLOAT_EQ(gradient[1], 1);
  Categorical::gradient(p, entropy, 0, {.advantage = 0, .entropy_cost = 5}, gradient);
  EXPECT_NEAR(gradient[0], 0, 1e-6);  // entropy is largest here
}

TEST(Categorical, GradientIsThatOfItsLoss) {
  const std::vector<float> logits{0.3F, -1.2F, 2.0F, 0.1F};
  const PolicyTarget target{.advantage = -1.7, .entropy_cost = 0.4};
  const auto loss = [&](const std::vector<double>& z) {
    double sum = 0, entropy = 0;
    for (const double each : z) sum += std::exp(each);
    for (const double each : z) entropy -= std::exp(each) / sum * (each - std::log(sum));
    return -target.advantage * (z[2] - std::log(sum)) - target.entropy_cost * entropy;
  };
  std::array<float, 4> p{}, gradient{};
  const double entropy = Categorical::probabilities(logits, p);
  Categorical::gradient(p, entropy, 2, target, gradient);
  const std::vector<double> expected = differences(loss, logits);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(gradient[i], expected[i], 1e-5);
}

TEST(Categorical, HoldsForLogitsThatAreFarApart) {
  const std::array<float, 3> logits{500, -500, 0};
  std::array<float, 3> p{}, gradient{};
  const double entropy = Categorical::probabilities(logits, p);
  EXPECT_FLOAT_EQ(p[0], 1);
  EXPECT_NEAR(entropy, 0, 1e-9);
  Categorical::gradient(p, entropy, 1, {.advantage = 1, .entropy_cost = 1}, gradient);
  EXPECT_FLOAT_EQ(gradient[1], -1);
}

TEST(Categorical, DrawsAsOftenAsItSays) {
  const std::array<float, 3> p{0.2F, 0.5F, 0.3F};
  std::array<int, 3> counts{};
  constexpr int kDraws = 20000;
  for (int n = 0; n < kDraws; ++n) {
    base::Stream stream(3, base::Purpose::kTest, 0, static_cast<std::uint64_t>(n));
    ++counts[static_cast<std::size_t>(Categorical::draw(p, stream))];
  }
  for (std::size_t i = 0; i < 3; ++i) {  // five standard errors
    EXPECT_NEAR(counts[i] / double{kDraws}, p[i], 5 * std::sqrt(p[i] * (1 - p[i]) / kDraws));
  }
}

TEST(SphericalGaussian, IsTheTextbooks) {
  const float s = std::log(std::expm1(0.25F - 1e-6F));  // softplus(s) + 1e-6 = 0.25
  const std::array<float, 2> outputs{0, s};
  EXPECT_NEAR(SphericalGaussian::variance(outputs), 0.25, 1e-7);
  EXPECT_NEAR(SphericalGaussian::entropy(1, 0.25), 0.7257913526, 1e-9);
  const std::array<float, 1> action{0.3F};
  EXPECT_NEAR(SphericalGaussian::log_probability(outputs, action), -0.4057913526, 1e-6);
  const std::array<float, 2> narrow{0, -20};
  EXPECT_NEAR(SphericalGaussian::variance(narrow) - SphericalGaussian::kLeast, 2.061154e-9, 1e-14);
}

TEST(SphericalGaussian, GradientIsThatOfItsLoss) {
  const std::vector<float> outputs{0.4F, -0.7F, 0.2F};
  const std::array<float, 2> action{1.0F, -0.2F};
  const PolicyTarget target{.advantage = 0.8, .entropy_cost = 0.3};
  const auto loss = [&](const std::vector<double>& y) {
    const double v = std::log1p(std::exp(y[2])) + SphericalGaussian::kLeast;
    const double square = std::pow(action[0] - y[0], 2) + std::pow(action[1] - y[1], 2);
    const double log_p = -square / (2 * v) - std::log(2 * M_PI * v);
    return -target.advantage * log_p - target.entropy_cost * (std::log(2 * M_PI * v) + 1);
  };
  std::array<float, 3> gradient{};
  SphericalGaussian::gradient(outputs, action, target, gradient);
  const std::vector<double> expected = differences(loss, outputs);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(gradient[i], expected[i], 2e-5);
}

TEST(EpsilonGreedy, ExploresAsOftenAsItSays) {
  const std::array<float, 4> values{1, 3, 2, 3};
  EXPECT_EQ(greedy(values), 1);
  int greedy_draws = 0;
  constexpr int kDraws = 20000;
  for (int n = 0; n < kDraws; ++n) {
    base::Stream stream(5, base::Purpose::kTest, 1, static_cast<std::uint64_t>(n));
    greedy_draws += epsilon_greedy(values, 0.4, stream) == 1;
  }
  const double p = 0.6 + 0.4 / 4;
  EXPECT_NEAR(greedy_draws / double{kDraws}, p, 5 * std::sqrt(p * (1 - p) / kDraws));
}

}  // namespace
}  // namespace tenfold::rl
