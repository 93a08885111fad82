#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/error.hpp"
#include "rl/noise.hpp"

namespace tenfold::rl {
namespace {

base::Stream test_stream(std::uint64_t step = 0) {
  return {11, base::Purpose::kTest, 0, step};
}

struct Moments {
  double variance = 0, lag1 = 0, lag5 = 0;
};

Moments sample_moments(const NoiseOptions& options, int samples) {
  ExplorationNoise noise(options, 1, 1);
  base::Stream stream = test_stream();
  std::array<double, 8> last{};
  double square = 0, lag1 = 0, lag5 = 0;
  for (int n = -1000; n < samples; ++n) {
    float action = 0;
    noise.add(0, stream, {&action, 1});
    const double x = *noise.state();
    if (n >= 0) {
      square += x * x;
      lag1 += x * last[static_cast<std::size_t>(n + 1000 - 1) % 8];
      lag5 += x * last[static_cast<std::size_t>(n + 1000 - 5) % 8];
    }
    last[static_cast<std::size_t>(n + 1000) % 8] = x;
  }
  return {square / samples, lag1 / square, lag5 / square};
}

// papers/ddpg.md, oracle 9.1.
TEST(OuNoise, UnitSchemeHasItsClosedFormMoments) {
  const Moments moments = sample_moments({}, 2'000'000);
  EXPECT_NEAR(moments.variance, 0.1441441, 0.01 * 0.1441441);
  EXPECT_NEAR(moments.lag1, 0.85, 0.005);
  EXPECT_NEAR(moments.lag5, 0.4437053, 0.005);
}

TEST(OuNoise, ExactSchemeKeepsTheProcesssVarianceAtAnyStep) {
  NoiseOptions options{.scheme = OuScheme::kExact, .dt = 8.0};
  const Moments moments = sample_moments(options, 300'000);
  EXPECT_NEAR(moments.variance, 0.1333333, 0.01 * 0.1333333);
  EXPECT_NEAR(moments.lag1, std::exp(-0.15 * 8), 0.005);
}

// A step long enough to be told from the exact process: x keeps 1 - 0.15 * 2 of itself.
TEST(OuNoise, DtSchemeHasItsClosedFormMoments) {
  NoiseOptions options{.scheme = OuScheme::kDt, .dt = 2.0};
  const Moments moments = sample_moments(options, 300'000);
  EXPECT_NEAR(moments.variance, 0.2 * 0.2 * 2 / (1 - 0.7 * 0.7), 0.01 * 0.1568627);
  EXPECT_NEAR(moments.lag1, 0.7, 0.005);
  EXPECT_NEAR(moments.lag5, std::pow(0.7, 5), 0.005);
}

TEST(OuNoise, StationaryDeviationsAreTheClosedForms) {
  const auto variance = [](OuScheme scheme, double dt) {
    NoiseOptions options{.scheme = scheme, .dt = dt};
    return std::pow(ExplorationNoise::stationary_deviation(options), 2);
  };
  EXPECT_NEAR(variance(OuScheme::kUnit, 0.01), 0.1441441, 1e-7);
  EXPECT_NEAR(variance(OuScheme::kDt, 0.01), 0.1334334, 1e-7);
  EXPECT_NEAR(variance(OuScheme::kExact, 0.01), 0.1333333, 1e-7);
  EXPECT_NEAR(variance(OuScheme::kExact, 3.0), 0.1333333, 1e-7);
  EXPECT_EQ(ExplorationNoise::stationary_deviation({.kind = NoiseKind::kGaussian}), 0.2);
  EXPECT_EQ(ExplorationNoise::stationary_deviation({.kind = NoiseKind::kNone}), 0.0);
}

// One step from a known state with a known draw, written out by hand for each scheme.
TEST(OuNoise, OneStepOfEachScheme) {
  const double xi = test_stream().normal();
  const std::array<std::pair<OuScheme, double>, 3> expected = {{
      {OuScheme::kUnit, 0.5 + 0.15 * (0 - 0.5) + 0.2 * xi},
      {OuScheme::kDt, 0.5 + 0.15 * (0 - 0.5) * 0.04 + 0.2 * 0.2 * xi},
      {OuScheme::kExact,
       0.5 * std::exp(-0.006) + 0.2 * std::sqrt((1 - std::exp(-0.012)) / 0.3) * xi},
  }};
  for (const auto& [scheme, value] : expected) {
    ExplorationNoise noise({.scheme = scheme, .dt = 0.04}, 1, 1);
    *noise.state() = 0.5;
    base::Stream stream = test_stream();
    float action = 0.25F;
    noise.add(0, stream, {&action, 1});
    EXPECT_NEAR(*noise.state(), value, 1e-12);
    EXPECT_NEAR(action, 0.25 + value, 1e-7);
  }
}

TEST(Noise, ResetReturnsOneRowToTheMean) {
  ExplorationNoise noise({}, 2, 3);
  base::Stream stream = test_stream();
  std::array<float, 3> action{};
  noise.add(0, stream, action);
  noise.add(1, stream, action);
  const double other = noise.state()[4];
  noise.reset(0);
  EXPECT_EQ(noise.state()[0], 0.0);
  EXPECT_EQ(noise.state()[2], 0.0);
  EXPECT_EQ(noise.state()[4], other);
  EXPECT_NE(other, 0.0);
}

TEST(Noise, GaussianHasNoMemoryAndNoneDrawsNothing) {
  ExplorationNoise gaussian({.kind = NoiseKind::kGaussian, .sigma = 0.5}, 1, 1);
  base::Stream stream = test_stream();
  base::Stream same = test_stream();
  for (int n = 0; n < 3; ++n) {
    float action = 0;
    gaussian.add(0, stream, {&action, 1});
    EXPECT_FLOAT_EQ(action, static_cast<float>(0.5 * same.normal()));
  }
  ExplorationNoise none({.kind = NoiseKind::kNone}, 1, 1);
  float action = 0.75F;
  none.add(0, stream, {&action, 1});
  EXPECT_EQ(action, 0.75F);
  EXPECT_EQ(stream.bits(), same.bits());
}

TEST(Noise, WordsAndRangesAreChecked) {
  EXPECT_EQ(noise_kind("ou"), NoiseKind::kOrnsteinUhlenbeck);
  EXPECT_EQ(noise_kind("gauss"), NoiseKind::kGaussian);
  EXPECT_EQ(noise_kind("none"), NoiseKind::kNone);
  EXPECT_EQ(ou_scheme("unit"), OuScheme::kUnit);
  EXPECT_EQ(ou_scheme("dt"), OuScheme::kDt);
  EXPECT_EQ(ou_scheme("exact"), OuScheme::kExact);
  const auto usage = [](auto&& action) {
    try {
      action();
      ADD_FAILURE() << "bad input was accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      EXPECT_FALSE(error.hint().empty());
    }
  };
  usage([] { noise_kind("OU"); });
  usage([] { ou_scheme(""); });
  usage([] { ExplorationNoise({.sigma = -0.1}, 1, 1); });
  usage([] { ExplorationNoise({.sigma = NAN}, 1, 1); });
  usage([] { ExplorationNoise({.theta = 2.0}, 1, 1); });
  usage([] { ExplorationNoise({.theta = 0.0}, 1, 1); });
  usage([] { ExplorationNoise({.scheme = OuScheme::kDt, .theta = 0.5, .dt = 4.0}, 1, 1); });
  usage([] { ExplorationNoise({.scheme = OuScheme::kExact, .dt = 0.0}, 1, 1); });
}

}  // namespace
}  // namespace tenfold::rl
