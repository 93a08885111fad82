// How tokens are drawn, against closed forms and a naive second version.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "nn/decoding/sampling.hpp"

namespace tenfold::nn {
namespace {

const std::vector<float> kFive = {0.3F, -1.2F, 1.9F, 0.0F, 0.8F};

std::vector<double> softmax(const std::vector<float>& logits, double temperature = 1) {
  std::vector<double> p;
  double sum = 0;
  for (const float logit : logits) p.push_back(std::exp(static_cast<double>(logit) / temperature));
  for (const double x : p) sum += x;
  for (double& x : p) x /= sum;
  return p;
}

// What transformers' warpers keep, in their order; ties as sampling.hpp says.
std::vector<double> kept(const std::vector<float>& logits, const SamplingOptions& options,
                         const std::vector<std::int32_t>& forbidden = {}) {
  std::vector<double> p = softmax(logits, options.temperature);
  for (const std::int32_t token : forbidden) p[static_cast<std::size_t>(token)] = 0;
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] > p[b]; });
  if (options.top_k > 0) {
    const double least = p[order[static_cast<std::size_t>(options.top_k) - 1]];
    for (double& x : p) x = x < least ? 0 : x;
  }
  double sum = std::accumulate(p.begin(), p.end(), 0.0), gone = 0;
  for (std::size_t i = order.size(); i-- > 1;) {
    gone += p[order[i]] / sum;
    if (gone <= 1 - options.top_p) p[order[i]] = 0;
  }
  sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= sum;
  return p;
}

// M8. Chi-square with 4 degrees of freedom exceeds 18.47 with probability 1e-3.
TEST(Sampling, TwentyThousandDrawsFollowTheSoftmax) {
  constexpr int kDraws = 20000;
  for (const double temperature : {1.0, 0.7, 2.5}) {
    const std::vector<double> p = softmax(kFive, temperature);
    TokenSampler sampler(5);
    std::vector<int> counts(5);
    for (std::uint32_t t = 0; t < kDraws; ++t) {
      const double u = token_uniform({1, 2, 3}, t);
      const SampledToken drawn = sampler.sample(kFive, {temperature, 0, 1}, u);
      ++counts[static_cast<std::size_t>(drawn.token)];
      EXPECT_NEAR(drawn.log_probability,
                  std::log(softmax(kFive)[static_cast<std::size_t>(drawn.token)]), 1e-6)
          << "untempered";
    }
    double chi = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      const double expected = kDraws * p[i];
      chi += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    EXPECT_LT(chi, 18.47) << "temperature " << temperature;
  }
}

TEST(Sampling, ATokenIsWhereItsUniformNumberFallsInTheSumOfProbabilities) {
  std::vector<float> logits(1000);
  base::Stream stream(4, base::Purpose::kTest, 0, 0);
  for (float& logit : logits) logit = static_cast<float>(2 * stream.normal());
  const std::vector<double> p = softmax(logits, 0.8);
  TokenSampler sampler(1000);
  for (int i = 0; i < 500; ++i) {
    const double u = stream.uniform();
    double below = 0;
    std::size_t token = 0;
    while (below + p[token] <= u) below += p[token++];
    // Rounding in float32 may decide only where u falls next to a boundary.
    if (u - below < 1e-5 || below + p[token] - u < 1e-5) continue;
    EXPECT_EQ(sampler.sample(logits, {0.8, 0, 1}, u).token, static_cast<std::int32_t>(token));
  }
  EXPECT_EQ(sampler.sample(logits, {0.8, 0, 1}, 0).token, 0);
  EXPECT_EQ(sampler.sample(logits, {0.8, 0, 1}, 1 - 0x1p-53).token, 999);
}

TEST(Sampling, TemperatureZeroIsTheLargestLogitAndASmallOneComesNear) {
  TokenSampler sampler(5);
  EXPECT_EQ(sampler.sample(kFive, {0, 0, 1}, 0.99).token, 2);
  EXPECT_NEAR(sampler.sample(kFive, {0, 0, 1}, 0.99).log_probability, std::log(softmax(kFive)[2]),
              1e-6);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(sampler.sample(kFive, {0.01, 0, 1}, i / 100.0).token, 2);
    EXPECT_EQ(sampler.sample(kFive, {1e-6, 0, 1}, i / 100.0).token, 2);
  }
  const std::vector<float> equal = {1, 3, 3, 0, 3};
  EXPECT_EQ(sampler.sample(equal, {0, 0, 1}, 0).token, 1);
  const std::vector<std::int32_t> forbidden = {1, 2};
  EXPECT_EQ(sampler.sample(equal, {0, 0, 1}, 0, forbidden).token, 4);
}

TEST(Sampling, TopKAndTopPKeepWhatTransformersKeeps) {
  base::Stream stream(5, base::Purpose::kTest, 0, 0);
  for (const std::int64_t vocabulary : {5, 17, 300, 1000}) {
    TokenSampler sampler(vocabulary);
    for (int trial = 0; trial < 60; ++trial) {
      std::vector<float> logits(static_cast<std::size_t>(vocabulary));
      for (float& logit : logits) logit = static_cast<float>(2 * stream.normal());
      SamplingOptions options{stream.uniform(0.3, 2), 0, 1};
      if (trial % 2 == 0) {
        options.top_k =
            1 + static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(vocabulary)));
      }
      if (trial % 3 != 0) options.top_p = stream.uniform(0.05, 1);
      std::vector<std::int32_t> forbidden;
      if (trial % 4 == 3) forbidden = {0, 3, 3};
      const std::vector<double> expected = kept(logits, options, forbidden);
      const auto seen = sampler.probabilities(logits, options, forbidden);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(static_cast<double>(seen[i]), expected[i], 2e-6);
      }
    }
  }
  // Equal logits: the k-th keeps its equals; of those that top-p cuts, the later go first.
  TokenSampler sampler(4);
  const std::vector<float> equal = {1, 1, 1, 0};
  const auto by_k = sampler.probabilities(equal, {1, 2, 1});
  EXPECT_FLOAT_EQ(by_k[2], 1.0F / 3);
  EXPECT_EQ(by_k[3], 0);
  const auto by_p = sampler.probabilities(equal, {1, 0, 0.5});
  EXPECT_FLOAT_EQ(by_p[0], 0.5F);
  EXPECT_FLOAT_EQ(by_p[1], 0.5F);
  EXPECT_EQ(by_p[2], 0);
}

TEST(Sampling, AForbiddenLikeliestTokenLeavesTheOthersTheirRatios) {
  // 400 above the others: e^-400 is no float.
  const std::vector<float> logits = {0, 400, 1, 2, -1};
  TokenSampler sampler(5);
  const std::vector<std::int32_t> forbidden = {1};
  const auto p = sampler.probabilities(logits, {1, 0, 1}, forbidden);
  const std::vector<double> expected = softmax({0, 1, 2, -1});
  EXPECT_EQ(p[1], 0);
  EXPECT_NEAR(p[0], expected[0], 1e-6);
  EXPECT_NEAR(p[3], expected[2], 1e-6);
  EXPECT_FLOAT_EQ(sampler.sample(logits, {1, 0, 1}, 0.5, forbidden).log_probability, -398);
}

TEST(Sampling, EveryTokenIndexHasANumberOfItsOwn) {
  // The first draw of a block, by the Philox definition.
  const auto block = base::Philox::block(
      {9, 4, 5, 2}, {1, static_cast<std::uint32_t>(base::Purpose::kTokenSample)});
  const double expected =
      static_cast<double>((static_cast<std::uint64_t>(block[0]) >> 5) * 67108864U +
                          (block[1] >> 6)) *
      0x1.0p-53;
  EXPECT_EQ(token_uniform({1, 2, (std::uint64_t{5} << 32) + 4}, 9), expected);
  std::set<double> seen;
  for (std::uint32_t i = 0; i < 10; ++i) {
    for (std::uint32_t t = 0; t < 10; ++t) {
      seen.insert(token_uniform({1, i, 0}, t));
      seen.insert(token_uniform({1, 0, 100 + i}, t));
    }
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST(Sampling, WhatCannotBeDrawnFromIsRefused) {
  TokenSampler sampler(3);
  const auto code = [&](const std::vector<float>& logits,
                        const std::vector<std::int32_t>& forbidden = {}) {
    try {
      sampler.sample(logits, {1, 0, 1}, 0.5, forbidden);
      return base::Code::kOk;
    } catch (const base::Error& error) {
      return error.code();
    }
  };
  const float nan = std::nanf(""), infinite = INFINITY;
  EXPECT_EQ(code({0, nan, 0}), base::Code::kNumeric);
  EXPECT_EQ(code({nan, 0, 0}), base::Code::kNumeric);
  EXPECT_EQ(code({0, 0, infinite}), base::Code::kNumeric);
  EXPECT_EQ(code({0, 0, -infinite}), base::Code::kOk);
  EXPECT_EQ(code({0, 0, 0}, {0, 1, 2}), base::Code::kUsage);
  EXPECT_THROW((SamplingOptions{-1, 0, 1}.validate()), base::Error);
  EXPECT_THROW((SamplingOptions{1, -1, 1}.validate()), base::Error);
  EXPECT_THROW((SamplingOptions{1, 0, 0}.validate()), base::Error);
  EXPECT_THROW((SamplingOptions{1, 0, 1.5}.validate()), base::Error);
  EXPECT_THROW((SamplingOptions{nan, 0, 1}.validate()), base::Error);
}

}  // namespace
}  // namespace tenfold::nn
