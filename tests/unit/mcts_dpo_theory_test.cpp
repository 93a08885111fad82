// Theorems 3.1 and 3.2 in miniature: exact values of the minimisers, and what a table of answers
// comes to online and offline.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mcts_dpo/learning/tabular_policy.hpp"

namespace tenfold::mcts_dpo {
namespace {

constexpr double kAlpha = 0.1;

PreferenceOptions options_of(double beta, PreferenceLoss loss = PreferenceLoss::kSigmoid) {
  PreferenceOptions options;
  options.beta = beta;
  options.loss = loss;
  return options;
}

std::vector<double> probabilities(const LogPolicy& policy) {
  std::vector<double> all;
  for (const double each : policy) all.push_back(std::exp(each));
  return all;
}

// Notes, section 11, T. The pair's two logits move by +-ln(9) / 2 (L3 with beta 1): 0.05 * 3 and
// 0.05 / 3 beside 0.9.
TEST(TabularPolicy, OfflineStaysAtNineSixtyFourths) {
  const LogPolicy start = misled_policy(2);
  EXPECT_NEAR(std::exp(start[0]), 0.05, 1e-15);
  EXPECT_NEAR(std::exp(start[1]), 0.05, 1e-15);
  EXPECT_NEAR(std::exp(start[2]), 0.90, 1e-15);
  const LogPolicy end = minimiser(start, {1}, kAlpha, options_of(1));
  const std::vector<double> pi = probabilities(end);
  EXPECT_NEAR(pi[0], 9.0 / 64, 1e-12);
  EXPECT_NEAR(pi[1], 1.0 / 64, 1e-12);
  EXPECT_NEAR(pi[2], 54.0 / 64, 1e-12);
  const double shift = end[2] - start[2];  // of the normaliser
  EXPECT_NEAR(end[0] - start[0] - shift, 1.0986122886681098, 1e-12);
  EXPECT_NEAR(end[1] - start[1] - shift, -1.0986122886681098, 1e-12);
  // However often it draws that pair again.
  const OfflineCurves curves = learn_offline(2, 50, 0, 3, 1, kAlpha, options_of(1));
  EXPECT_NEAR(curves.mean[0], 0.05, 1e-12);
  for (std::size_t i = 1; i <= 50; ++i) EXPECT_NEAR(curves.mean[i], 0.140625, 1e-12);
  for (const double each : curves.stuck) EXPECT_NEAR(each, 1, 1e-12);
}

TEST(TabularPolicy, OnlineComesToTheRightAnswer) {
  std::vector<std::size_t> losers;
  const std::vector<double> right = learn_online(2, 5, kAlpha, options_of(1), &losers);
  const std::vector<double> expected = {0.05, 0.3, 0.75, 81.0 / 86, 81.0 / 82, 0.9977189781};
  ASSERT_EQ(right.size(), expected.size());
  for (std::size_t i = 0; i < right.size(); ++i) EXPECT_NEAR(right[i], expected[i], 6e-11) << i;
  EXPECT_EQ(losers, (std::vector<std::size_t>{2, 2, 2, 1, 2}));
}

// Every minimiser multiplies the weight of the right answer by 3 and divides the loser's by 3
// (beta 1, alpha 0.1). Theorem 3.2: all n wrong answers are pushed down in n + 1 iterations or a
// few more; theorem 3.1: an answer that is never drawn keeps its weight.
TEST(TabularPolicy, WithMoreAnswers) {
  for (const std::size_t wrong : {2U, 4U, 8U}) {
    const std::size_t iterations = 2 * wrong + 2;
    const std::vector<double> right = learn_online(wrong, iterations, kAlpha, options_of(1));
    std::vector<double> weights = probabilities(misled_policy(wrong));
    for (std::size_t i = 0; i <= iterations; ++i) {
      const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
      EXPECT_NEAR(right[i], weights[0] / sum, 1e-10) << wrong << " " << i;
      *std::max_element(weights.begin() + 1, weights.end()) /= 3;
      weights[0] *= 3;
    }
    EXPECT_GT(right.back(), 0.999);
    const LogPolicy start = misled_policy(wrong);
    std::vector<std::size_t> seen(wrong - 1);
    std::iota(seen.begin(), seen.end(), std::size_t{1});
    const LogPolicy end = minimiser(start, seen, kAlpha, options_of(1));
    EXPECT_LT(std::exp(end[0]), 0.5);
    // All pairs are at their minimum: h = ln 9; logits move along the pairs, so they sum to what
    // they did.
    double moved = 0;
    for (std::size_t i = 0; i < start.size(); ++i) {
      const double logit = (end[i] - start[i]) - (end[wrong] - start[wrong]);
      moved += logit;
      if (i > 0 && i < wrong) {
        EXPECT_NEAR(end[0] - start[0] - end[i] + start[i], std::log(9.0), 1e-9);
      }
    }
    EXPECT_NEAR(moved, 0, 1e-9);
  }
}

// L3 for other beta and alpha, and IPO's h = 1 / (2 beta) (Azar et al. 2024, equation 17).
TEST(TabularPolicy, MinimisersOfOtherLosses) {
  const LogPolicy start = misled_policy(3);
  const auto margin = [&](double alpha, const PreferenceOptions& options) {
    const LogPolicy end = minimiser(start, {3}, alpha, options);
    return end[0] - start[0] - end[3] + start[3];
  };
  EXPECT_NEAR(margin(0.1, options_of(0.1)), 21.9722457734, 1e-8);
  EXPECT_NEAR(margin(0.25, options_of(0.1)), 10.9861228867, 1e-8);
  EXPECT_NEAR(margin(0.5, options_of(1)), 0, 1e-12);
  EXPECT_NEAR(margin(0, options_of(0.25, PreferenceLoss::kIpo)), 2, 1e-12);
}

// The sampler draws the favourite with probability epsilon: after M draws it is unseen with
// probability (1 - epsilon)^M, which is above the theorem's 1 - 2 epsilon M.
TEST(TabularPolicy, WhatTheOfflineSamplerNeverDraws) {
  constexpr std::size_t kRuns = 4000, kDraws = 12;
  constexpr double kEpsilon = 0.05;
  const OfflineCurves curves = learn_offline(4, kDraws, kEpsilon, kRuns, 7, kAlpha, options_of(1));
  for (std::size_t m = 0; m <= kDraws; ++m) {
    const double expected = std::pow(1 - kEpsilon, static_cast<double>(m));
    const double deviation = std::sqrt(expected * (1 - expected) / kRuns);
    EXPECT_NEAR(curves.stuck[m], expected, 4.5 * deviation + 1e-9) << m;
    EXPECT_GE(curves.stuck[m], 1 - 2 * kEpsilon * static_cast<double>(m));
  }
  // Runs with the favourite among their pairs are the only ones that get anywhere.
  const OfflineCurves always = learn_offline(4, 1, 1, 2, 7, kAlpha, options_of(1));
  EXPECT_NEAR(always.mean[1], std::exp(minimiser(misled_policy(4), {4}, kAlpha, options_of(1))[0]),
              1e-12);
  EXPECT_EQ(always.stuck[1], 0);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
