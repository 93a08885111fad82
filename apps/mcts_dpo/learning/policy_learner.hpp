// The policy's parameters and what moves them: AdamW on preferences or on sequences, data-parallel
// over virtual shards.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "mcts_dpo/learning/preference_loss.hpp"
#include "mcts_dpo/learning/preference_pair.hpp"
#include "nn/transformer/activation_plan.hpp"
#include "nn/transformer/token_trie.hpp"
#include "nn/transformer/transformer.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

struct LearnerOptions {
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0;    ///< decoupled, of matrices and embeddings alone
  double clip = 1;            ///< largest norm of the gradient; 0: any
  std::int64_t chunk = 1024;  ///< rows whose logits exist at a time
  /// Whether sequences that share a prefix share its computation (tree packing); the same numbers
  /// up to rounding.
  bool packed = true;
};

/// What one update saw, equal on all ranks.
struct UpdateReport {
  double loss = 0, gradient_norm = 0;
  double margin = 0, accuracy = 0;           ///< mean beta h, share of pairs with h > 0
  double winner = 0, loser = 0;              ///< mean summed log-probability
  double winner_drift = 0, loser_drift = 0;  ///< the same, less the reference's
  double sampling_gap = 0;  ///< mean distance of the winner's log-probability from sampled_winner
  std::int64_t tokens = 0;  ///< computed, without padding
  bool skipped = false;     ///< its loss or gradient was not finite (--nonfinite skip)
};

/// What a learner moves, and the policy that it is part of.
struct Learned {
  at::Tensor values;  ///< float32 [flat_size of layout], equal on all ranks
  const nn::ParameterLayout* layout = nullptr;
  /// The policy with its gradient with respect to values in gradient, as values.
  std::function<nn::TransformerWeights(const at::Tensor& gradient)> weights;
  /// Called before every update: brings what weights gave up to date with values, where it is a
  /// copy of them. May be empty.
  std::function<void()> refresh = nullptr;
};
/// All parameters of a model, computing in this type.
Learned all_parameters(const nn::Transformer& model, const at::Tensor& parameters,
                       at::ScalarType type = at::kFloat);

/// Collective. Equal bits on any number of ranks with --reduce ordered or fixed.
class PolicyLearner {
 public:
  /// All references must outlive this.
  PolicyLearner(const LearnerOptions& options, const Learned& learned, train::RunContext& context);

  /// One step on the mean loss of batch, which all ranks have alike. Where the loss or a gradient
  /// is not finite nothing moves; the fourth time in a row sets the context's failure. Without
  /// skip_nonfinite throws AgreedError, Code::kNumeric.
  UpdateReport prefer(std::span<const PreferencePair> batch, const PreferenceOptions& options,
                      double lr);
  /// One step on the mean negative log-probability of a token.
  UpdateReport imitate(std::span<const Imitation> batch, double lr);

  /// Names the optimizer's state.
  void state(store::StateRegistry& registry);
  std::int64_t steps() const;
  /// The largest pass of this rank that was learned from.
  const nn::LearningPass& largest_pass() const { return largest_; }

 private:
  /// A shard's loss, summed, already divided by the batch's count; items are indices into the
  /// batch.
  using ShardLoss = std::function<at::Tensor(const nn::TransformerWeights& weights,
                                             std::span<const std::size_t> items)>;
  /// deal[i]: which shard has item i.
  UpdateReport update(const std::vector<std::size_t>& deal, const ShardLoss& loss, double lr);
  at::Tensor preference_share(const nn::TransformerWeights& weights,
                              std::span<const PreferencePair> batch,
                              std::span<const std::size_t> items, const PreferenceOptions& options);
  at::Tensor imitation_share(const nn::TransformerWeights& weights,
                             std::span<const Imitation> batch, std::span<const std::size_t> items,
                             std::int64_t tokens);

  void note(const nn::LearningPass& pass);

  LearnerOptions options_;
  nn::LearningPass largest_;
  train::RunContext& context_;
  std::function<void()> refresh_;
  std::unique_ptr<train::FlatAdam> adam_;
  std::vector<nn::TransformerWeights> groups_;  ///< of the reducer, each with its gradient
  at::Tensor statistics_, total_;               ///< float64 [groups, kStatistics], [kStatistics]
  double* found_ = nullptr;                     ///< statistics of the group at work
};

/// Sets reference_winner and reference_loser of each pair to what weights give. Pairs of one
/// question must lie together: they are one forward pass, so the numbers depend on nothing else.
void score_pairs(const nn::TransformerWeights& weights, std::span<PreferencePair> pairs,
                 const LearnerOptions& options);

}  // namespace tenfold::mcts_dpo
