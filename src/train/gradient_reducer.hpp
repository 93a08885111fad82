// Sums gradients and statistics over the virtual shards of all ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "comm/communicator.hpp"
#include "nn/network.hpp"
#include "train/partition.hpp"
#include "train/shard_plan.hpp"

namespace tenfold::train {

/// kFast: one float all-reduce; results depend on the number of ranks in the last bits.
/// kOrdered: sums shard 0, 1, 2, ... in float; kFixed: sums 64-bit integers, in any order. Both
/// give the same bits on any number of ranks.
enum class ReduceMode { kFast, kOrdered, kFixed };
ReduceMode reduce_mode(const std::string& word);

class GradientReducer {
 public:
  GradientReducer(comm::Communicator communicator, ShardPlan plan, ReduceMode mode);
  ~GradientReducer();

  /// How this rank's data is laid out for the mode: kFast works on all local rows as one block (1
  /// group), the others keep one group per local shard.
  std::int64_t groups() const;
  /// Rows of one group when every shard has rows rows.
  std::int64_t rows_per_group(std::int64_t rows) const;

  /// total[p] = sum over all shards of per_group[g, p]; float32 [groups(), P] and [P], contiguous,
  /// same P on all ranks. Collective. Throws Code::kNumeric, equally on all ranks, when the result
  /// is not finite; layout (may be null) and what name the parameter.
  void sum(const at::Tensor& per_group, const at::Tensor& total, const nn::ParameterLayout* layout,
           const std::string& what);

  /// The same sum, of this rank's elements of partition alone: float32 [groups(), P] and
  /// [partition.sizes[rank]], pieces one behind the other; equal to sum's in every bit with
  /// kOrdered and kFixed. Returns the Euclidean norm of the whole sum, on all ranks. Collective;
  /// throws as sum does.
  double sum_owned(const at::Tensor& per_group, const Partition& partition, const at::Tensor& owned,
                   const nn::ParameterLayout* layout, const std::string& what);
  /// Every rank's elements of flat, float32 [P], go to all ranks, in place. Collective.
  void gather_owned(const Partition& partition, const at::Tensor& flat);

  /// The same for small float64 [groups(), K] statistics (batch normalisation, losses): always
  /// exact in order for kOrdered and kFixed. Collective.
  void sum_statistics(const at::Tensor& per_group, const at::Tensor& total);
  /// sum_statistics as a callback for nn::NetworkPass::forward.
  nn::SumOverShards statistics_callback();

  /// Seconds spent waiting in collectives since the last call.
  double take_seconds();
  ReduceMode mode() const { return mode_; }

 private:
  void check_shapes(const at::Tensor& per_group, std::int64_t length) const;
  void inject_faults(const at::Tensor& per_group);
  void sum_fast(const at::Tensor& per_group, const at::Tensor& total);
  void sum_ordered(const at::Tensor& per_group, const at::Tensor& total);
  void sum_fixed(const at::Tensor& per_group, const at::Tensor& total);
  void owned_fast(const at::Tensor& per_group, const Partition& partition, const at::Tensor& owned);
  void owned_ordered(const at::Tensor& per_group, const Partition& partition, float* owned);
  void owned_fixed(const at::Tensor& per_group, const Partition& partition,
                   const at::Tensor& owned);
  double largest_of_all(const at::Tensor& per_group);
  [[noreturn]] void report_nonfinite(const at::Tensor& per_group, std::int64_t of_total,
                                     const nn::ParameterLayout* layout, const std::string& what);

  comm::Communicator communicator_;
  ShardPlan plan_;
  ReduceMode mode_;
  double seconds_ = 0;
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace tenfold::train
