#include "train/gradient_reducer.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "comm/fault.hpp"
#include "kernels/flat_optimizer.hpp"
#include "kernels/shard_sum.hpp"

namespace tenfold::train {

using base::Code;
using base::Error;

ReduceMode reduce_mode(const std::string& word) {
  if (word == "fast") return ReduceMode::kFast;
  if (word == "ordered") return ReduceMode::kOrdered;
  if (word == "fixed") return ReduceMode::kFixed;
  throw Error(Code::kUsage,
              fmt::format("parallel.reduce: '{}' is not fast, ordered or fixed", word));
}

// Grown once to the largest request, then reused: no allocation per update.
struct GradientReducer::Buffers {
  std::vector<float> send, receive, slice;
  std::vector<double> statistics;
  at::Tensor fixed;
};

GradientReducer::GradientReducer(comm::Communicator communicator, ShardPlan plan, ReduceMode mode)
    : communicator_(std::move(communicator)),
      plan_(std::move(plan)),
      mode_(mode),
      buffers_(std::make_unique<Buffers>()) {}
GradientReducer::~GradientReducer() = default;

std::int64_t GradientReducer::groups() const {
  return mode_ == ReduceMode::kFast ? 1 : static_cast<std::int64_t>(plan_.local());
}

std::int64_t GradientReducer::rows_per_group(std::int64_t rows) const {
  return mode_ == ReduceMode::kFast ? rows * static_cast<std::int64_t>(plan_.local()) : rows;
}

void GradientReducer::sum(const at::Tensor& per_group, const at::Tensor& total,
                          const nn::ParameterLayout* layout, const std::string& what) {
  base::require(per_group.dim() == 2 && per_group.size(0) == groups() &&
                    per_group.is_contiguous() && total.numel() == per_group.size(1) &&
                    total.is_contiguous(),
                "GradientReducer::sum: wrong shapes");
  if (per_group.is_cuda()) {
    // Debian's Open MPI is not CUDA-aware: device tensors go through the host.
    const at::Tensor host_total = at::empty({total.numel()}, at::kFloat);
    sum(per_group.cpu(), host_total, layout, what);
    total.copy_(host_total);
    return;
  }
  comm::fault_point("reduce.gradient");
  if (comm::fault_here("nan", "reduce.gradient")) per_group[0][0].fill_(std::nan(""));
  if (mode_ == ReduceMode::kFast) sum_fast(per_group, total);
  if (mode_ == ReduceMode::kOrdered) sum_ordered(per_group, total);
  if (mode_ == ReduceMode::kFixed) sum_fixed(per_group, total);
  const std::int64_t bad = kernels::first_nonfinite(total);
  if (bad >= 0) report_nonfinite(per_group, bad, layout, what);
}

void GradientReducer::sum_fast(const at::Tensor& per_group, const at::Tensor& total) {
  total.copy_(per_group[0]);
  const base::Stopwatch watch;
  communicator_.all_reduce(
      std::span<float>(total.data_ptr<float>(), static_cast<std::size_t>(total.numel())),
      comm::Op::kSum);
  seconds_ += watch.seconds();
}

namespace {

// Elements of total that rank r sums for everybody.
std::vector<int> slice_sizes(std::int64_t length, int world) {
  std::vector<int> sizes(static_cast<std::size_t>(world));
  for (int r = 0; r < world; ++r) {
    sizes[static_cast<std::size_t>(r)] =
        static_cast<int>(length * (r + 1) / world - length * r / world);
  }
  return sizes;
}

}  // namespace

// Reduce-scatter by hand: each rank receives its slice of every shard's gradient, adds the shards
// in order, and all slices are gathered. 2 (n-1)/n S P + P floats on the wire instead of V P.
void GradientReducer::sum_ordered(const at::Tensor& per_group, const at::Tensor& total) {
  if (plan_.world == 1) {
    kernels::ordered_sum(per_group, total);
    return;
  }
  const auto world = static_cast<std::size_t>(plan_.world);
  const std::size_t local = plan_.local();
  const std::int64_t length = total.numel();
  const std::vector<int> sizes = slice_sizes(length, plan_.world);
  const auto my_size = static_cast<std::size_t>(sizes[static_cast<std::size_t>(plan_.rank)]);
  buffers_->send.resize(local * static_cast<std::size_t>(length));
  buffers_->receive.resize(plan_.shards * my_size);
  buffers_->slice.resize(my_size);
  std::vector<int> send_counts(world), receive_counts(world, static_cast<int>(local * my_size));
  std::size_t at = 0;
  std::size_t begin = 0;
  for (std::size_t destination = 0; destination < world; ++destination) {
    const auto size = static_cast<std::size_t>(sizes[destination]);
    send_counts[destination] = static_cast<int>(local * size);
    for (std::size_t s = 0; s < local; ++s, at += size) {
      const float* row = per_group.data_ptr<float>() + s * static_cast<std::size_t>(length);
      std::copy_n(row + begin, size, buffers_->send.data() + at);
    }
    begin += size;
  }
  const base::Stopwatch watch;
  communicator_.all_to_all<float>(buffers_->send, send_counts, buffers_->receive, receive_counts);
  seconds_ += watch.seconds();
  for (std::size_t shard = 0; shard < plan_.shards; ++shard) {
    const float* row =
        buffers_->receive.data() + ((shard % world) * local + shard / world) * my_size;
    float* sum = buffers_->slice.data();
    if (shard == 0) {
      std::copy_n(row, my_size, sum);
    } else {
      for (std::size_t p = 0; p < my_size; ++p) sum[p] += row[p];
    }
  }
  const base::Stopwatch gather;
  communicator_.all_gather_v<float>(
      buffers_->slice, std::span<float>(total.data_ptr<float>(), static_cast<std::size_t>(length)),
      sizes);
  seconds_ += gather.seconds();
}

void GradientReducer::sum_fixed(const at::Tensor& per_group, const at::Tensor& total) {
  const base::Stopwatch watch;
  // MPI_MAX may drop a NaN, infinity it keeps.
  const double mine = kernels::max_abs(per_group);
  const double largest = communicator_.all_reduce(
      std::isfinite(mine) ? mine : std::numeric_limits<double>::infinity(), comm::Op::kMax);
  seconds_ += watch.seconds();
  if (!std::isfinite(largest)) {
    total.fill_(largest);  // reported by the caller, on every rank alike
    return;
  }
  if (!buffers_->fixed.defined() || buffers_->fixed.numel() < total.numel()) {
    buffers_->fixed = at::empty({total.numel()}, at::kLong);
  }
  const at::Tensor fixed = buffers_->fixed.narrow(0, 0, total.numel());
  const int exponent = kernels::fixed_exponent(largest, static_cast<std::int64_t>(plan_.shards));
  kernels::to_fixed(per_group, fixed, exponent);
  const base::Stopwatch reduce;
  communicator_.all_reduce(std::span<std::int64_t>(fixed.data_ptr<std::int64_t>(),
                                                   static_cast<std::size_t>(fixed.numel())),
                           comm::Op::kSum);
  seconds_ += reduce.seconds();
  kernels::from_fixed(fixed, total, exponent, 1.0);
}

void GradientReducer::sum_statistics(const at::Tensor& per_group, const at::Tensor& total) {
  const auto width = static_cast<std::size_t>(total.numel());
  base::require(per_group.dim() == 2 && per_group.size(0) == groups() &&
                    per_group.is_contiguous() &&
                    static_cast<std::size_t>(per_group.size(1)) == width,
                "GradientReducer::sum_statistics: wrong shapes");
  double* out = total.data_ptr<double>();
  const double* in = per_group.data_ptr<double>();
  if (mode_ == ReduceMode::kFast) {
    std::copy_n(in, width, out);
    communicator_.all_reduce(std::span<double>(out, width), comm::Op::kSum);
    return;
  }
  const auto world = static_cast<std::size_t>(plan_.world);
  const std::size_t local = plan_.local();
  const double* all = in;
  if (world > 1) {
    buffers_->statistics.resize(plan_.shards * width);
    const base::Stopwatch watch;
    communicator_.all_gather<double>(std::span<const double>(in, local * width),
                                     std::span<double>(buffers_->statistics));
    seconds_ += watch.seconds();
    all = buffers_->statistics.data();
  }
  for (std::size_t k = 0; k < width; ++k) out[k] = all[k];
  for (std::size_t shard = 1; shard < plan_.shards; ++shard) {
    const double* row = all + ((shard % world) * local + shard / world) * width;
    for (std::size_t k = 0; k < width; ++k) out[k] += row[k];
  }
}

nn::SumOverShards GradientReducer::statistics_callback() {
  return [this](const at::Tensor& per_group, const at::Tensor& total) {
    sum_statistics(per_group, total);
  };
}

void GradientReducer::report_nonfinite(const at::Tensor& per_group, std::int64_t of_total,
                                       const nn::ParameterLayout* layout, const std::string& what) {
  const std::int64_t length = per_group.size(1);
  const std::int64_t index = kernels::first_nonfinite(per_group);
  const int culprit =
      communicator_.all_reduce(index >= 0 ? plan_.rank : plan_.world, comm::Op::kMin);
  const bool overflow = culprit == plan_.world;
  std::int64_t where = overflow ? of_total : plan_.rank == culprit ? index % length : 0;
  where = communicator_.all_reduce(where, comm::Op::kMax);
  const std::string name =
      layout == nullptr ? fmt::format("element {}", where) : layout->name_at(where);
  const std::string cause =
      overflow ? "the sum over shards overflowed" : fmt::format("first on rank {}", culprit);
  const int speaker = overflow ? 0 : culprit;
  throw comm::AgreedError(
      Error(Code::kNumeric,
            fmt::format("the gradient of {} {} is not finite ({})", what, name, cause),
            "Lower the learning rate or the reward scale; the last checkpoint is from before this "
            "step"),
      speaker, communicator_.broadcast_text(comm::host_name(), speaker));
}

double GradientReducer::take_seconds() {
  return std::exchange(seconds_, 0.0);
}

}  // namespace tenfold::train
