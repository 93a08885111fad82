#include "mcts_dpo/learning/policy_learner.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/core.h>

#include <cmath>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "comm/watchdog.hpp"
#include "mcts_dpo/learning/packed_pairs.hpp"

namespace tenfold::mcts_dpo {

namespace {

enum Statistic : std::int64_t {
  kLoss,
  kMargin,
  kAccuracy,
  kWinner,
  kLoser,
  kWinnerDrift,
  kLoserDrift,
  kSamplingGap,
  kTokens,
  kStatistics
};

/// Updates in a row that may be left out since they are not finite (notes, section 12).
constexpr int kMostSkips = 3;

at::Tensor column(std::span<const PreferencePair> batch, std::span<const std::size_t> items,
                  const at::TensorOptions& options,
                  const std::function<double(const PreferencePair&)>& of) {
  std::vector<double> values;
  values.reserve(items.size());
  for (const std::size_t item : items) values.push_back(of(batch[item]));
  return at::tensor(values, at::kDouble).to(options);
}

PreferenceTerms terms_of(std::span<const PreferencePair> batch, std::span<const std::size_t> items,
                         PackedPairs::Sums sums) {
  const at::TensorOptions like = sums.winner.options();
  const auto of = [&](const std::function<double(const PreferencePair&)>& value) {
    return column(batch, items, like, value);
  };
  return {
      std::move(sums.winner),
      std::move(sums.loser),
      of([](const PreferencePair& pair) { return pair.reference_winner; }),
      of([](const PreferencePair& pair) { return pair.reference_loser; }),
      of([](const PreferencePair& pair) { return pair.smoothing; }),
      of([](const PreferencePair& pair) { return static_cast<double>(pair.winner.size()); }),
      of([](const PreferencePair& pair) { return static_cast<double>(pair.loser.size()); }),
  };
}

double sum_of(const at::Tensor& values) {
  return values.detach().sum(at::kDouble).item<double>();
}

}  // namespace

Learned all_parameters(const nn::Transformer& model, const at::Tensor& parameters,
                       at::ScalarType type) {
  const at::Tensor computed = parameters.to(type);
  Learned learned{parameters, &model.parameters(), [&model, computed](const at::Tensor& gradient) {
                    return nn::TransformerWeights(model, computed, gradient);
                  }};
  if (type != parameters.scalar_type()) {
    learned.refresh = [parameters, computed] { computed.copy_(parameters); };
  }
  return learned;
}

PolicyLearner::PolicyLearner(const LearnerOptions& options, const Learned& learned,
                             train::RunContext& context)
    : options_(options), context_(context), refresh_(learned.refresh) {
  train::GradientReducer& reducer = *context.reducer;
  adam_ =
      std::make_unique<train::FlatAdam>(reducer, context.shards, *context.metrics, *learned.layout,
                                        learned.values, "policy", context.optimizer);
  adam_->set_moments({.beta1 = options.beta1,
                      .beta2 = options.beta2,
                      .eps = options.eps,
                      .decoupled_decay = true});
  if (options.weight_decay > 0) {
    const at::Tensor decay = at::zeros_like(learned.values);
    for (const nn::ParameterEntry& entry : learned.layout->entries()) {
      if (entry.decays) decay.narrow(0, entry.offset, entry.size).fill_(options.weight_decay);
    }
    adam_->set_decay(decay);
  }
  for (std::int64_t g = 0; g < reducer.groups(); ++g) {
    groups_.push_back(learned.weights(adam_->gradients().select(0, g)));
  }
  statistics_ = at::zeros({reducer.groups(), kStatistics}, at::kDouble);
  total_ = at::zeros({kStatistics}, at::kDouble);
}

UpdateReport PolicyLearner::update(const std::vector<std::size_t>& deal, const ShardLoss& loss,
                                   double lr) {
  if (refresh_) refresh_();
  adam_->gradients().zero_();
  statistics_.zero_();
  const train::ShardPlan& shards = context_.shards;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    std::vector<std::size_t> items;
    for (std::size_t i = 0; i < deal.size(); ++i) {
      const bool mine =
          deal[i] % static_cast<std::size_t>(shards.world) == static_cast<std::size_t>(shards.rank);
      if (mine && (groups_.size() == 1 || shards.local_index(deal[i]) == g)) items.push_back(i);
    }
    if (items.empty()) continue;
    comm::Watchdog::alive();
    found_ = statistics_.data_ptr<double>() + static_cast<std::int64_t>(g) * kStatistics;
    const at::Tensor share = loss(groups_[g], items);
    found_[kLoss] += sum_of(share);
    share.backward();
  }
  UpdateReport report;
  report.gradient_norm = adam_->reduce();
  context_.reducer->sum_statistics(statistics_, total_);
  const auto* const total = total_.data_ptr<double>();
  // An infinite loss can have a finite gradient: that of log sigmoid is never above 1.
  if (!adam_->skipped() && !std::isfinite(total[kLoss])) {
    adam_->reject(base::Error(
        base::Code::kNumeric, fmt::format("the loss of update {} is {}", steps() + 1, total[kLoss]),
        "Lower --lr or --clip, and look at the model's and the reference's log-probabilities"));
  }
  report.skipped = adam_->skipped();
  if (adam_->skips_in_a_row() > kMostSkips) {
    context_.failure.emplace(
        base::Error(base::Code::kNumeric,
                    fmt::format("{} updates in a row were left out, the last one since {}",
                                adam_->skips_in_a_row(), adam_->why_skipped()),
                    "Look at train/skipped_updates for when it began. The checkpoint holds the "
                    "policy from before: go on from it with a lower --lr or --clip"),
        0, comm::host_name());
  }
  if (options_.clip > 0) adam_->clip(report.gradient_norm, options_.clip);
  adam_->step(lr);
  report.loss = total[kLoss];
  report.margin = total[kMargin];
  report.accuracy = total[kAccuracy];
  report.winner = total[kWinner];
  report.loser = total[kLoser];
  report.winner_drift = total[kWinnerDrift];
  report.loser_drift = total[kLoserDrift];
  report.sampling_gap = total[kSamplingGap];
  report.tokens = static_cast<std::int64_t>(total[kTokens]);
  return report;
}

UpdateReport PolicyLearner::prefer(std::span<const PreferencePair> batch,
                                   const PreferenceOptions& options, double lr) {
  base::require(!batch.empty(), "PolicyLearner::prefer: no pairs");
  // Pairs of a question go to one shard, which computes what they share once.
  std::map<std::int64_t, std::size_t> shard_of;
  std::vector<std::size_t> deal;
  for (const PreferencePair& pair : batch) {
    const auto place = shard_of.emplace(pair.question, shard_of.size() % context_.shards.shards);
    deal.push_back(place.first->second);
  }
  return update(
      deal,
      [&](const nn::TransformerWeights& weights, std::span<const std::size_t> items) {
        return preference_share(weights, batch, items, options);
      },
      lr);
}

at::Tensor PolicyLearner::preference_share(const nn::TransformerWeights& weights,
                                           std::span<const PreferencePair> batch,
                                           std::span<const std::size_t> items,
                                           const PreferenceOptions& options) {
  const PackedPairs packed(batch, items, options_.packed);
  PackedPairs::Sums sums = packed.sums(weights, weights.device(), options_.chunk);
  note(sums.pass);
  const PreferenceTerms terms = terms_of(batch, items, std::move(sums));
  const auto count = static_cast<double>(batch.size());
  const at::Tensor margin = preference_margin(terms, options).detach();
  found_[kMargin] += options.beta * sum_of(margin) / count;
  found_[kAccuracy] += sum_of(margin.gt(0).to(at::kDouble)) / count;
  found_[kWinner] += sum_of(terms.winner) / count;
  found_[kLoser] += sum_of(terms.loser) / count;
  found_[kWinnerDrift] += sum_of(terms.winner - terms.reference_winner) / count;
  found_[kLoserDrift] += sum_of(terms.loser - terms.reference_loser) / count;
  const at::Tensor sampled = column(batch, items, terms.winner.options().requires_grad(false),
                                    [](const PreferencePair& pair) { return pair.sampled_winner; });
  found_[kSamplingGap] += sum_of((terms.winner - sampled).abs()) / count;
  found_[kTokens] += static_cast<double>(packed.tokens());
  return preference_loss(terms, options).sum() / count;
}

UpdateReport PolicyLearner::imitate(std::span<const Imitation> batch, double lr) {
  base::require(!batch.empty(), "PolicyLearner::imitate: no sequences");
  std::int64_t tokens = 0;
  std::vector<std::size_t> deal;
  for (const Imitation& each : batch) {
    const auto length = static_cast<std::int64_t>(each.tokens.size());
    base::require(each.prompt >= 1 && each.prompt < length,
                  "PolicyLearner::imitate: a sequence needs a prompt and something after it");
    tokens += length - each.prompt;
    deal.push_back(deal.size() % context_.shards.shards);
  }
  return update(
      deal,
      [&](const nn::TransformerWeights& weights, std::span<const std::size_t> items) {
        return imitation_share(weights, batch, items, tokens);
      },
      lr);
}

at::Tensor PolicyLearner::imitation_share(const nn::TransformerWeights& weights,
                                          std::span<const Imitation> batch,
                                          std::span<const std::size_t> items, std::int64_t tokens) {
  std::vector<nn::TokenTrie> tries(items.size());
  std::vector<std::vector<std::int32_t>> paths;
  for (std::size_t i = 0; i < items.size(); ++i) {
    paths.push_back(tries[i].add(batch[items[i]].tokens));
    found_[kTokens] += static_cast<double>(paths.back().size());
  }
  const nn::TokenBlock block = nn::pack(tries, weights.model().config(), weights.device());
  nn::Predictions predictions;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t t = static_cast<std::size_t>(batch[items[i]].prompt); t < paths[i].size();
         ++t) {
      predictions.add(tries[i], static_cast<std::int64_t>(i), block.tokens.size(1), paths[i][t]);
    }
  }
  note(nn::pass_of(block.tokens.size(0), block.tokens.size(1), predictions.rows.size()));
  return -nn::predicted(weights, block, predictions, options_.chunk).sum() /
         static_cast<double>(tokens);
}

void PolicyLearner::note(const nn::LearningPass& pass) {
  if (pass.tokens > largest_.tokens) largest_ = pass;
}

void PolicyLearner::state(store::StateRegistry& registry) {
  adam_->state(registry);
}

std::int64_t PolicyLearner::steps() const {
  return adam_->steps();
}

void score_pairs(const nn::TransformerWeights& weights, std::span<PreferencePair> pairs,
                 const LearnerOptions& options) {
  const at::NoGradGuard no_gradients;
  for (std::size_t begin = 0, end = 0; begin < pairs.size(); begin = end) {
    comm::Watchdog::alive();
    while (end < pairs.size() && pairs[end].question == pairs[begin].question) ++end;
    std::vector<std::size_t> items(end - begin);
    std::iota(items.begin(), items.end(), begin);
    const PackedPairs packed(pairs, items, options.packed);
    const PackedPairs::Sums sums = packed.sums(weights, weights.device(), options.chunk);
    const at::Tensor winner = sums.winner.to(at::kCPU, at::kDouble).contiguous();
    const at::Tensor loser = sums.loser.to(at::kCPU, at::kDouble).contiguous();
    for (std::size_t i = begin; i < end; ++i) {
      pairs[i].reference_winner = winner.data_ptr<double>()[i - begin];
      pairs[i].reference_loser = loser.data_ptr<double>()[i - begin];
    }
  }
}

}  // namespace tenfold::mcts_dpo
