#include "mcts_dpo/learning/tabular_policy.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "base/philox.hpp"

namespace tenfold::mcts_dpo {

namespace {

constexpr double kRight = 0.05, kFavourite = 0.9;
/// Of the gradient; far below what a probability is shown with.
constexpr double kTolerance = 1e-13;
constexpr int kMostSteps = 100'000;

/// Largest second derivative of the summed loss in the logits: one pair's in h, times the norm of
/// the map from logits to the h of all pairs, which share answer 0.
double curvature(std::size_t pairs, const PreferenceOptions& options) {
  const double one = options.loss == PreferenceLoss::kIpo ? 2 : options.beta * options.beta / 4;
  return one * static_cast<double>(pairs + 1);
}

std::size_t likeliest_wrong(const LogPolicy& policy) {
  return static_cast<std::size_t>(std::max_element(policy.begin() + 1, policy.end()) -
                                  policy.begin());
}

}  // namespace

LogPolicy misled_policy(std::size_t wrong) {
  base::require(wrong >= 2, "misled_policy: two wrong answers at least");
  LogPolicy policy(wrong + 1, std::log((1 - kRight - kFavourite) / static_cast<double>(wrong - 1)));
  policy.front() = std::log(kRight);
  policy.back() = std::log(kFavourite);
  return policy;
}

LogPolicy minimiser(const LogPolicy& start, const std::vector<std::size_t>& losers,
                    double smoothing, const PreferenceOptions& options) {
  base::require(options.loss == PreferenceLoss::kIpo || smoothing > 0,
                "minimiser: without smoothing the loss has none");
  if (losers.empty()) return start;
  const at::Tensor index =
      at::tensor(std::vector<std::int64_t>(losers.begin(), losers.end()), at::kLong);
  const at::Tensor reference = at::tensor(start, at::kDouble);
  PreferenceTerms terms;
  terms.reference_loser = reference.index_select(0, index);
  terms.reference_winner = reference[0].expand_as(terms.reference_loser);
  terms.smoothing = at::full_like(terms.reference_loser, smoothing);
  terms.winner_tokens = terms.loser_tokens = at::ones_like(terms.reference_loser);
  at::Tensor logits = reference.clone();
  const double rate = 1 / curvature(losers.size(), options);
  for (int step = 0; step < kMostSteps; ++step) {
    at::Tensor leaf = logits.detach().requires_grad_(true);
    const at::Tensor policy = at::log_softmax(leaf, 0);
    terms.winner = policy[0].expand_as(terms.reference_loser);
    terms.loser = policy.index_select(0, index);
    preference_loss(terms, options).sum().backward();
    if (leaf.grad().abs().max().item<double>() < kTolerance) break;
    logits = logits - rate * leaf.grad();
  }
  const at::Tensor found = at::log_softmax(logits, 0).contiguous();
  return {found.data_ptr<double>(), found.data_ptr<double>() + found.numel()};
}

std::vector<double> learn_online(std::size_t wrong, std::size_t iterations, double smoothing,
                                 const PreferenceOptions& options,
                                 std::vector<std::size_t>* losers) {
  LogPolicy policy = misled_policy(wrong);
  std::vector<double> right{std::exp(policy[0])};
  for (std::size_t i = 0; i < iterations; ++i) {
    const std::size_t loser = likeliest_wrong(policy);
    if (losers != nullptr) losers->push_back(loser);
    policy = minimiser(policy, {loser}, smoothing, options);
    right.push_back(std::exp(policy[0]));
  }
  return right;
}

OfflineCurves learn_offline(std::size_t wrong, std::size_t iterations, double epsilon,
                            std::size_t repeats, std::uint32_t seed, double smoothing,
                            const PreferenceOptions& options) {
  const LogPolicy start = misled_policy(wrong);
  // The wrong answers but the favourite are alike: how many of them were drawn is all that matters.
  std::map<std::pair<std::size_t, bool>, double> known;
  const auto right = [&](std::size_t others, bool favourite) {
    const auto [found, added] = known.try_emplace({others, favourite}, 0);
    if (!added) return found->second;
    std::vector<std::size_t> losers(others);
    for (std::size_t i = 0; i < others; ++i) losers[i] = i + 1;
    if (favourite) losers.push_back(wrong);
    return found->second = std::exp(minimiser(start, losers, smoothing, options)[0]);
  };
  OfflineCurves curves{std::vector<double>(iterations + 1), std::vector<double>(iterations + 1)};
  for (std::size_t run = 0; run < repeats; ++run) {
    base::Stream stream(seed, base::Purpose::kDataItem, static_cast<std::uint32_t>(run), wrong);
    std::vector<bool> drawn(wrong);
    std::size_t others = 0;
    bool favourite = false;
    for (std::size_t i = 0; i <= iterations; ++i) {
      curves.mean[i] += right(others, favourite);
      curves.stuck[i] += favourite ? 0 : 1;
      if (stream.uniform(0, 1) < epsilon) {
        favourite = true;
      } else if (const std::size_t other = stream.below(wrong - 1); !drawn[other]) {
        drawn[other] = true;
        ++others;
      }
    }
  }
  for (std::vector<double>* each : {&curves.mean, &curves.stuck}) {
    for (double& value : *each) value /= static_cast<double>(repeats);
  }
  return curves;
}

}  // namespace tenfold::mcts_dpo
