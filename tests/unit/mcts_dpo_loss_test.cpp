// The loss on pairs: closed values of the paper's file (L1 to L8), pairs packed and apart.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "mcts_dpo/learning/packed_pairs.hpp"
#include "mcts_dpo/learning/policy_learner.hpp"
#include "mcts_dpo/learning/preference_loss.hpp"
#include "support/tiny_transformer.hpp"

namespace tenfold::mcts_dpo {
namespace {

// One pair with h = margin; tokens of the two continuations.
PreferenceTerms terms(double margin, double smoothing, double winner_tokens = 1,
                      double loser_tokens = 1) {
  const auto one = [](double value) { return at::full({1}, value, at::kDouble); };
  return {one(margin - 3).requires_grad_(true),
          one(-5).requires_grad_(true),
          one(-3),
          one(-5),
          one(smoothing),
          one(winner_tokens),
          one(loser_tokens)};
}

double loss_at(double margin, double smoothing, double beta) {
  PreferenceOptions options;
  options.beta = beta;
  return preference_loss(terms(margin, smoothing), options).item<double>();
}

double slope_at(double margin, double smoothing, double beta) {
  PreferenceOptions options;
  options.beta = beta;
  const PreferenceTerms pair = terms(margin, smoothing);
  preference_loss(pair, options).sum().backward();
  EXPECT_DOUBLE_EQ(pair.winner.grad().item<double>(), -pair.loser.grad().item<double>());
  return pair.winner.grad().item<double>();
}

TEST(PreferenceLoss, IsLn2WhereThePolicyIsTheReference) {
  for (const double alpha : {0.0, 0.1, 0.25, 0.5}) {
    for (const double beta : {0.01, 0.1, 1.0}) {
      EXPECT_DOUBLE_EQ(loss_at(0, alpha, beta), 0.6931471805599453);
    }
  }
}

TEST(PreferenceLoss, HasTheSlopeOfItsFormula) {
  EXPECT_DOUBLE_EQ(slope_at(0, 0, 0.1), -0.05);
  EXPECT_DOUBLE_EQ(slope_at(0, 0.1, 0.1), -0.04);
  EXPECT_DOUBLE_EQ(slope_at(0, 0.25, 0.1), -0.025);
  EXPECT_DOUBLE_EQ(slope_at(0, 0.5, 0.1), 0);
  const auto sigma = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (const double h : {-7.0, 0.3, 4.0}) {
    EXPECT_NEAR(slope_at(h, 0.2, 0.7), -0.7 * (0.8 * sigma(-0.7 * h) - 0.2 * sigma(0.7 * h)),
                1e-15);
  }
}

TEST(PreferenceLoss, IsLeastWhereSmoothingSays) {
  EXPECT_NEAR(slope_at(21.9722457734, 0.1, 0.1), 0, 1e-12);
  EXPECT_NEAR(slope_at(10.9861228867, 0.25, 0.1), 0, 1e-12);
  EXPECT_NEAR(loss_at(21.9722457734, 0.1, 0.1), 0.3250829734, 1e-10);
}

TEST(PreferenceLoss, HasKnownValues) {
  EXPECT_NEAR(loss_at(10, 0, 0.1), 0.3132616875, 1e-10);
  EXPECT_NEAR(loss_at(10, 0.1, 0.1), 0.4132616875, 1e-10);
  EXPECT_NEAR(loss_at(10, 0.25, 0.1), 0.5632616875, 1e-10);
}

TEST(PreferenceLoss, DoesNotChangeWhenLabelAndSmoothingAreSwapped) {
  for (const double h : {-3.0, 0.5, 8.0}) {
    EXPECT_NEAR(loss_at(h, 0.2, 0.5), loss_at(-h, 0.8, 0.5), 1e-15);
  }
}

TEST(PreferenceLoss, StaysFiniteFarOut) {
  for (const double h : {-1e5, 1e5}) {
    EXPECT_TRUE(std::isfinite(loss_at(h, 0.1, 0.1)));
    EXPECT_TRUE(std::isfinite(slope_at(h, 0.1, 0.1)));
  }
  EXPECT_DOUBLE_EQ(loss_at(-1e5, 0, 0.1), 1e4);
}

TEST(PreferenceLoss, IpoAndLengths) {
  PreferenceOptions options;
  options.loss = PreferenceLoss::kIpo;
  // winner ratio 6 over 2 tokens, loser ratio 0: h = 3; 1 / (2 beta) = 5.
  EXPECT_DOUBLE_EQ(preference_loss(terms(6, 0, 2, 3), options).item<double>(), 4);
  options.loss = PreferenceLoss::kSigmoid;
  options.length_power = 0.5;
  EXPECT_DOUBLE_EQ(preference_margin(terms(6, 0, 4, 3), options).item<double>(), 3);
  options.length_power = 0;
  options.nll = 2;  // the winner's log-probability is 0 - 3, over 4 tokens
  EXPECT_DOUBLE_EQ(preference_loss(terms(0, 0, 4, 3), options).item<double>(),
                   0.6931471805599453 + 2 * 3.0 / 4);
}

TEST(VisitSmoothing, IsTheLosersShareOfVisits) {
  EXPECT_DOUBLE_EQ(visit_smoothing(5, 1), 1.0 / 6);
  EXPECT_DOUBLE_EQ(visit_smoothing(1, 5), 0.5);
  EXPECT_DOUBLE_EQ(visit_smoothing(3, 3), 0.5);
  EXPECT_DOUBLE_EQ(visit_smoothing(4, 0), 0);
  EXPECT_DOUBLE_EQ(visit_smoothing(0, 0), 0);
  EXPECT_DOUBLE_EQ(visit_smoothing(0, 3), 0.5);
}

// Two questions; the second pair of the first goes on from the first one's winner, as a search's
// pairs do, and a loser begins like its winner.
std::vector<PreferencePair> some_pairs() {
  std::vector<PreferencePair> pairs(3);
  pairs[0] = {7, {1, 2, 3}, {4, 5, 6}, {4, 8}, 0.1};
  pairs[1] = {7, {1, 2, 3, 4, 5, 6}, {9, 10}, {11, 12, 13}, 0.2};
  pairs[2] = {8, {1, 14}, {15}, {16, 17, 18}, 0};
  return pairs;
}

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> items(count);
  std::iota(items.begin(), items.end(), std::size_t{0});
  return items;
}

at::Tensor parameters_of(const nn::Transformer& model) {
  const at::Tensor flat = at::zeros({model.parameters().flat_size()}, at::kFloat);
  model.initialize(flat, 5);
  for (const nn::ParameterEntry& entry : model.parameters().entries()) {
    if (entry.shape.size() == 2) flat.narrow(0, entry.offset, entry.size).mul_(10);
  }
  return flat.to(at::kDouble);
}

TEST(PackedPairs, GiveTheLossAndGradientOfPairsApart) {
  const nn::Transformer model(test::tiny_transformer());
  const at::Tensor flat = parameters_of(model);
  const std::vector<PreferencePair> pairs = some_pairs();
  const auto items = all_of(pairs.size());
  at::Tensor losses[2], gradients[2];
  for (const bool packed : {false, true}) {
    gradients[packed] = at::zeros_like(flat);
    const nn::TransformerWeights weights(model, flat, gradients[packed]);
    const PackedPairs rows(pairs, items, packed);
    EXPECT_EQ(rows.tokens(), packed ? 6 + 2 + 3 + 1 + 2 + 1 + 3 : 6 + 5 + 8 + 9 + 3 + 5);
    const auto sums = rows.sums(weights, at::kCPU, 4);
    losses[packed] = sums.winner - 0.3 * sums.loser;
    losses[packed].sum().backward();
  }
  EXPECT_LT((losses[0] - losses[1]).abs().max().item<double>(), 1e-12);
  EXPECT_LT((gradients[0] - gradients[1]).abs().max().item<double>(),
            1e-12 * gradients[0].abs().max().item<double>());
  EXPECT_GT(gradients[0].abs().max().item<double>(), 0.1);
}

// What both sequences have in common cancels (L6): moved from prefix to both continuations.
TEST(PackedPairs, SharedTokensCancel) {
  const nn::Transformer model(test::tiny_transformer());
  const nn::TransformerWeights weights(model, parameters_of(model));
  std::vector<PreferencePair> pairs(2);
  pairs[0] = {0, {1, 2, 3}, {4, 5}, {6}};
  pairs[1] = {0, {1}, {2, 3, 4, 5}, {2, 3, 6}};
  const auto sums = PackedPairs(pairs, all_of(2), true).sums(weights, at::kCPU, 4);
  const at::Tensor margin = sums.winner - sums.loser;
  EXPECT_NEAR(margin[0].item<double>(), margin[1].item<double>(), 1e-12);
}

TEST(ScorePairs, GivesWhatUnpackedRowsGive) {
  const nn::Transformer model(test::tiny_transformer());
  const nn::TransformerWeights weights(model, parameters_of(model));
  std::vector<PreferencePair> pairs = some_pairs();
  score_pairs(weights, pairs, {});
  const auto sums = PackedPairs(pairs, all_of(3), false).sums(weights, at::kCPU, 4);
  for (int i = 0; i < 3; ++i) {
    const PreferencePair& pair = pairs[static_cast<std::size_t>(i)];
    EXPECT_NEAR(pair.reference_winner, sums.winner[i].item<double>(), 1e-12);
    EXPECT_NEAR(pair.reference_loser, sums.loser[i].item<double>(), 1e-12);
  }
}

}  // namespace
}  // namespace tenfold::mcts_dpo
