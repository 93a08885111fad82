// Adam on a flat parameter buffer of which every rank holds a copy; with ZeRO-1 each rank keeps and
// updates only its part of the optimizer's state.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "kernels/flat_optimizer.hpp"
#include "nn/parameter_layout.hpp"
#include "store/state_registry.hpp"
#include "train/gradient_reducer.hpp"
#include "train/metrics.hpp"
#include "train/partition.hpp"
#include "train/shard_plan.hpp"
#include "train/shared_tensors.hpp"

namespace tenfold::train {

struct OptimizerOptions {
  /// Rajbhandari et al. 2020, section 5.1: gradients are reduce-scattered, each rank steps its
  /// parameters with its moments, parameters are all-gathered.
  bool zero1 = false;
  /// A gradient that is not finite: false throws, true leaves parameters and moments as they are.
  bool skip_nonfinite = false;
};

class FlatAdam {
 public:
  /// parameters: float32 [P], equal on all ranks; layout and what ("critic") name its elements in
  /// messages and checkpoints. All references must outlive this.
  FlatAdam(GradientReducer& reducer, const ShardPlan& plan, Metrics& metrics,
           const nn::ParameterLayout& layout, const at::Tensor& parameters, std::string what,
           OptimizerOptions options);

  /// l2: float32 [P], weight decay per element, added to the gradient (coupled, as torch's Adam)
  /// unless set_moments says decoupled_decay.
  void set_decay(const at::Tensor& l2);
  /// beta1, beta2, eps and decoupled_decay of every later step; lr is step's.
  void set_moments(const kernels::AdamOptions& adam);
  /// Where this rank's backward passes put their gradients: float32 [reducer.groups(), P].
  const at::Tensor& gradients() const { return gradients_; }

  /// Sums gradients() over all shards for the next step; returns the sum's Euclidean norm. Throws
  /// Code::kNumeric, equally on all ranks, when it is not finite; with skip_nonfinite only when a
  /// hundred in a row were not. Collective.
  double reduce();
  /// Makes of what reduce() accepted a gradient that is not finite, for another reason that all
  /// ranks see (a loss, say): throws as reduce() does, or step() will leave it out.
  void reject(const base::Error& reason);
  /// Scales what reduce() summed down to this Euclidean norm where norm, reduce()'s answer, is
  /// larger (torch.nn.utils.clip_grad_norm_).
  void clip(double norm, double largest);
  /// One step with what reduce() summed: equal bits with and without ZeRO-1 when the reduction is
  /// ordered or fixed. A gradient that was not finite moves nothing but counts as a step, so that
  /// the next one draws another minibatch. Collective with ZeRO-1.
  void step(double lr);

  /// Whether the last reduce() found a gradient that is not finite and left it out.
  bool skipped() const { return skip_; }
  bool may_skip() const { return options_.skip_nonfinite; }
  /// Updates left out one after the other, up to now.
  int skips_in_a_row() const { return skips_in_a_row_; }
  /// What was wrong with the last one that was left out.
  const std::string& why_skipped() const { return why_skipped_; }
  std::int64_t steps() const { return steps_; }
  /// From now on steps are taken in memory that ranks share (nullptr: no more), which must outlive
  /// them; parameters and moments here are copies. Not with ZeRO-1.
  void share(SharedAdam* shared);
  /// Copies parameters, moments and step from there, or to there.
  void get_shared();
  void set_shared() const;

  /// Names m, v and step below optimizer/<what>: by parameter, or with ZeRO-1 by virtual shard.
  void state(store::StateRegistry& registry);
  /// Bytes of m, v and the summed gradient on this rank: 12 P, with ZeRO-1 12 ceil(P / V) V / n.
  std::int64_t state_bytes() const;

 private:
  kernels::AdamOptions at_rate(double lr) const;
  void skip(const comm::AgreedError& error);
  void step_piece(const Piece& piece, std::int64_t at, std::size_t local_shard, double lr);

  GradientReducer& reducer_;
  const ShardPlan& plan_;
  Metrics& metrics_;
  const nn::ParameterLayout& layout_;
  std::string what_;
  OptimizerOptions options_;
  kernels::AdamOptions adam_;
  Partition partition_;  ///< ZeRO-1 only
  at::Tensor parameters_, gradients_;
  at::Tensor total_, l2_;  ///< [P]; ZeRO-1: this rank's elements
  at::Tensor m_, v_;       ///< [P]; ZeRO-1: [local shards, piece size]
  std::int64_t steps_ = 0;
  SharedAdam* shared_ = nullptr;
  bool skip_ = false;
  int skips_in_a_row_ = 0;
  std::string why_skipped_;
  std::uint64_t skipped_ = 0;  ///< by this process
};

/// Each entry of layout as a data set of its own, so that h5py users find "layer0.weight":
/// prefix/name.
void register_flat(store::StateRegistry& registry, const std::string& prefix,
                   const at::Tensor& flat, const nn::ParameterLayout& layout);

}  // namespace tenfold::train
