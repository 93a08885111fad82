// The optimisers of Mnih et al. 2016, section 4, against numbers worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "a3c/sharing/optimizer.hpp"
#include "base/error.hpp"

namespace tenfold::a3c {
namespace {

using Step = void (*)(const OptimizerOptions&, double, const float*, float*, float*, std::int64_t);

// For who adds the step elsewhere.
void delta_step(const OptimizerOptions& options, double lr, const float* gradient,
                float* statistics, float* parameters, std::int64_t n) {
  std::vector<float> delta(static_cast<std::size_t>(n));
  step_delta(options, lr, gradient, statistics, delta.data(), n);
  for (std::size_t i = 0; i < delta.size(); ++i) parameters[i] += delta[i];
}

constexpr Step kSteps[] = {plain_step, atomic_step, delta_step};
constexpr std::int64_t kCount = 37;  // whole vectors and a rest
constexpr double kRound = 5e-7;

struct After {
  float gradient;
  double parameter, statistic;
};

void expect_course(const OptimizerOptions& options, const std::vector<After>& course) {
  for (const Step step : kSteps) {
    std::vector<float> parameters(kCount, 1), statistics(kCount, 0);
    for (const After& after : course) {
      const std::vector<float> gradient(kCount, after.gradient);
      step(options, 0.1, gradient.data(), statistics.data(), parameters.data(), kCount);
      for (std::size_t i = 0; i < kCount; ++i) {
        EXPECT_NEAR(parameters[i], after.parameter, kRound);
        EXPECT_NEAR(statistics[i], after.statistic, kRound);
      }
    }
  }
}

TEST(Optimizer, RmspropHasItsEpsilonInsideTheRoot) {
  // sqrt(g) + eps would give 0.0909091, -0.7660511, -0.3719208.
  for (const OptimizerKind kind : {OptimizerKind::kSharedRmsprop, OptimizerKind::kRmsprop}) {
    expect_course(
        {kind, 0.99, 0.01},
        {{1, 0.2928932188, 0.01}, {2, -0.5242846276, 0.0499}, {-1, -0.1446925534, 0.059401}});
  }
}

TEST(Optimizer, MomentumIsAMeanOfGradients) {
  // m: 0.1, 0.9 * 0.1 + 0.1 * 2 = 0.29, 0.9 * 0.29 - 0.1 = 0.161.
  expect_course({OptimizerKind::kMomentum, 0.9, 0.01},
                {{1, 0.99, 0.1}, {2, 0.961, 0.29}, {-1, 0.9449, 0.161}});
}

// plain_step leaves out the root where a whole block of gradients is zero; atomic_step never does.
TEST(Optimizer, BlocksOfGradientsThatAreZeroChangeNoBit) {
  constexpr std::size_t kSize = 64 * 5 + 37;
  std::vector<float> gradient(kSize, 0);
  for (std::size_t i = 0; i < 64; ++i) gradient[i] = 0.01F * static_cast<float>(i) - 0.3F;
  gradient[64 * 3 - 1] = 2;  // blocks with one number, with a negative zero, and a rest with one
  gradient[64 * 4] = -0.0F;
  gradient[kSize - 1] = -1;
  const OptimizerOptions options{OptimizerKind::kSharedRmsprop, 0.9, 0.01};
  std::vector<float> parameters(kSize), squares(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    parameters[i] = 1 - 0.005F * static_cast<float>(i);
    squares[i] = 0.1F * static_cast<float>(i % 7);
  }
  std::vector<float> parameters_atomic = parameters, squares_atomic = squares;
  for (int step = 0; step < 3; ++step) {
    plain_step(options, 0.1, gradient.data(), squares.data(), parameters.data(), kSize);
    atomic_step(options, 0.1, gradient.data(), squares_atomic.data(), parameters_atomic.data(),
                kSize);
  }
  EXPECT_EQ(parameters, parameters_atomic);
  EXPECT_EQ(squares, squares_atomic);
}

TEST(Optimizer, WordsOfOthersAreRefused) {
  EXPECT_EQ(optimizer_kind("shared-rmsprop"), OptimizerKind::kSharedRmsprop);
  EXPECT_EQ(optimizer_kind("rmsprop"), OptimizerKind::kRmsprop);
  EXPECT_EQ(optimizer_kind("momentum"), OptimizerKind::kMomentum);
  EXPECT_THROW(optimizer_kind("adam"), base::Error);
}

}  // namespace
}  // namespace tenfold::a3c
