#include "train/gradient_reducer.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
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
  std::vector<int> send_counts, receive_counts;
  std::vector<double> statistics;
  at::Tensor fixed, packed_fixed, owned_fixed;
  std::map<std::int64_t, Partition> partitions;

  const Partition& equal(std::int64_t length, int world) {
    const auto found = partitions.find(length);
    if (found != partitions.end()) return found->second;
    return partitions.emplace(length, equal_partition(length, world)).first->second;
  }
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

void GradientReducer::check_shapes(const at::Tensor& per_group, std::int64_t length) const {
  base::require(per_group.dim() == 2 && per_group.size(0) == groups() &&
                    per_group.is_contiguous() && length == per_group.size(1),
                "GradientReducer: wrong shapes");
}

void GradientReducer::inject_faults(const at::Tensor& per_group) {
  comm::fault_point("reduce.gradient");
  if (comm::fault_here("nan", "reduce.gradient")) per_group[0][0].fill_(std::nan(""));
}

void GradientReducer::sum(const at::Tensor& per_group, const at::Tensor& total,
                          const nn::ParameterLayout* layout, const std::string& what) {
  check_shapes(per_group, total.numel());
  base::require(total.is_contiguous(), "GradientReducer::sum: total is not contiguous");
  if (per_group.is_cuda()) {
    // Debian's Open MPI is not CUDA-aware: device tensors go through the host.
    const at::Tensor host_total = at::empty({total.numel()}, at::kFloat);
    sum(per_group.cpu(), host_total, layout, what);
    total.copy_(host_total);
    return;
  }
  inject_faults(per_group);
  if (mode_ == ReduceMode::kFast) sum_fast(per_group, total);
  if (mode_ == ReduceMode::kOrdered) sum_ordered(per_group, total);
  if (mode_ == ReduceMode::kFixed) sum_fixed(per_group, total);
  const std::int64_t bad = kernels::first_nonfinite(total);
  if (bad >= 0) report_nonfinite(per_group, bad, layout, what);
}

double GradientReducer::sum_owned(const at::Tensor& per_group, const Partition& partition,
                                  const at::Tensor& owned, const nn::ParameterLayout* layout,
                                  const std::string& what) {
  check_shapes(per_group, partition.length);
  const auto rank = static_cast<std::size_t>(plan_.rank);
  base::require(owned.is_contiguous() && owned.numel() == partition.sizes[rank],
                "GradientReducer::sum_owned: wrong shapes");
  if (per_group.is_cuda()) {
    const at::Tensor host_owned = at::empty({owned.numel()}, at::kFloat);
    const double norm = sum_owned(per_group.cpu(), partition, host_owned, layout, what);
    owned.copy_(host_owned);
    return norm;
  }
  inject_faults(per_group);
  if (mode_ == ReduceMode::kFast) owned_fast(per_group, partition, owned);
  if (mode_ == ReduceMode::kOrdered) {
    owned_ordered(per_group, partition, owned.data_ptr<float>());
  }
  if (mode_ == ReduceMode::kFixed) owned_fixed(per_group, partition, owned);
  // Squares of floats cannot overflow a double: one number tells all ranks both things.
  const double squares = communicator_.all_reduce(kernels::sum_of_squares(owned), comm::Op::kSum);
  if (!std::isfinite(squares)) {
    std::int64_t bad = kernels::first_nonfinite(owned);
    for (const Piece& piece : partition.pieces[rank]) {
      if (bad < 0) break;
      if (bad < piece.size) {
        bad += piece.begin;
        break;
      }
      bad -= piece.size;
    }
    report_nonfinite(per_group,
                     communicator_.all_reduce(
                         bad < 0 ? std::numeric_limits<std::int64_t>::max() : bad, comm::Op::kMin),
                     layout, what);
  }
  return std::sqrt(squares);
}

void GradientReducer::gather_owned(const Partition& partition, const at::Tensor& flat) {
  base::require(flat.is_contiguous() && flat.numel() == partition.length,
                "GradientReducer::gather_owned: wrong shapes");
  if (plan_.world == 1) return;
  if (flat.is_cuda()) {
    const at::Tensor host = flat.cpu();
    gather_owned(partition, host);
    flat.copy_(host);
    return;
  }
  float* const values = flat.data_ptr<float>();
  const auto rank = static_cast<std::size_t>(plan_.rank);
  std::vector<float>& mine = buffers_->slice;
  mine.resize(static_cast<std::size_t>(partition.sizes[rank]));
  float* out = mine.data();
  for (const Piece& piece : partition.pieces[rank]) {
    out = std::copy_n(values + piece.begin, piece.size, out);
  }
  std::vector<float>& all = buffers_->receive;
  all.resize(static_cast<std::size_t>(partition.length));
  const base::Stopwatch watch;
  communicator_.all_gather_v<float>(mine, std::span<float>(all), partition.sizes);
  seconds_ += watch.seconds();
  const float* in = all.data();
  for (const std::vector<Piece>& pieces : partition.pieces) {
    for (const Piece& piece : pieces) {
      std::copy_n(in, piece.size, values + piece.begin);
      in += piece.size;
    }
  }
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

// The elements of row, rank by rank as partition has them.
template <class T>
T* pack(const T* row, const Partition& partition, T* out) {
  for (const std::vector<Piece>& pieces : partition.pieces) {
    for (const Piece& piece : pieces) out = std::copy_n(row + piece.begin, piece.size, out);
  }
  return out;
}

}  // namespace

void GradientReducer::owned_fast(const at::Tensor& per_group, const Partition& partition,
                                 const at::Tensor& owned) {
  buffers_->send.resize(static_cast<std::size_t>(partition.length));
  pack(per_group.data_ptr<float>(), partition, buffers_->send.data());
  const base::Stopwatch watch;
  communicator_.reduce_scatter<float>(
      buffers_->send,
      std::span<float>(owned.data_ptr<float>(), static_cast<std::size_t>(owned.numel())),
      partition.sizes, comm::Op::kSum);
  seconds_ += watch.seconds();
}

// Each rank receives its elements of every shard's gradient and adds the shards in order.
void GradientReducer::owned_ordered(const at::Tensor& per_group, const Partition& partition,
                                    float* owned) {
  const auto world = static_cast<std::size_t>(plan_.world);
  const std::size_t local = plan_.local();
  const auto mine = static_cast<std::size_t>(partition.sizes[static_cast<std::size_t>(plan_.rank)]);
  buffers_->send.resize(local * static_cast<std::size_t>(partition.length));
  buffers_->receive.resize(plan_.shards * mine);
  std::vector<int>& send_counts = buffers_->send_counts;
  std::vector<int>& receive_counts = buffers_->receive_counts;
  send_counts.resize(world);
  receive_counts.assign(world, static_cast<int>(local * mine));
  float* out = buffers_->send.data();
  for (std::size_t destination = 0; destination < world; ++destination) {
    send_counts[destination] = static_cast<int>(local) * partition.sizes[destination];
    for (std::size_t s = 0; s < local; ++s) {
      const float* row =
          per_group.data_ptr<float>() + s * static_cast<std::size_t>(partition.length);
      for (const Piece& piece : partition.pieces[destination]) {
        out = std::copy_n(row + piece.begin, piece.size, out);
      }
    }
  }
  const base::Stopwatch watch;
  communicator_.all_to_all<float>(buffers_->send, send_counts, buffers_->receive, receive_counts);
  seconds_ += watch.seconds();
  for (std::size_t shard = 0; shard < plan_.shards; ++shard) {
    const float* row = buffers_->receive.data() + ((shard % world) * local + shard / world) * mine;
    if (shard == 0) {
      std::copy_n(row, mine, owned);
    } else {
      for (std::size_t p = 0; p < mine; ++p) owned[p] += row[p];
    }
  }
}

// Reduce-scatter by hand, then all elements are gathered: 2 (n-1)/n S P + P floats on the wire
// instead of V P.
void GradientReducer::sum_ordered(const at::Tensor& per_group, const at::Tensor& total) {
  if (plan_.world == 1) {
    kernels::ordered_sum(per_group, total);
    return;
  }
  const Partition& partition = buffers_->equal(total.numel(), plan_.world);
  buffers_->slice.resize(
      static_cast<std::size_t>(partition.sizes[static_cast<std::size_t>(plan_.rank)]));
  owned_ordered(per_group, partition, buffers_->slice.data());
  const base::Stopwatch gather;
  communicator_.all_gather_v<float>(
      buffers_->slice,
      std::span<float>(total.data_ptr<float>(), static_cast<std::size_t>(total.numel())),
      partition.sizes);
  seconds_ += gather.seconds();
}

// Infinity when any element of any rank is not finite: MPI_MAX may drop a NaN, infinity it keeps.
double GradientReducer::largest_of_all(const at::Tensor& per_group) {
  const base::Stopwatch watch;
  const double mine = kernels::max_abs(per_group);
  const double largest = communicator_.all_reduce(
      std::isfinite(mine) ? mine : std::numeric_limits<double>::infinity(), comm::Op::kMax);
  seconds_ += watch.seconds();
  return largest;
}

namespace {

at::Tensor first_of(at::Tensor& buffer, std::int64_t size) {
  if (!buffer.defined() || buffer.numel() < size) buffer = at::empty({size}, at::kLong);
  return buffer.narrow(0, 0, size);
}

std::span<std::int64_t> integers(const at::Tensor& tensor) {
  return {tensor.data_ptr<std::int64_t>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

void GradientReducer::sum_fixed(const at::Tensor& per_group, const at::Tensor& total) {
  const double largest = largest_of_all(per_group);
  if (!std::isfinite(largest)) {
    total.fill_(largest);  // reported by the caller, on every rank alike
    return;
  }
  const at::Tensor fixed = first_of(buffers_->fixed, total.numel());
  const int exponent = kernels::fixed_exponent(largest, static_cast<std::int64_t>(plan_.shards));
  kernels::to_fixed(per_group, fixed, exponent);
  const base::Stopwatch reduce;
  communicator_.all_reduce(integers(fixed), comm::Op::kSum);
  seconds_ += reduce.seconds();
  kernels::from_fixed(fixed, total, exponent, 1.0);
}

void GradientReducer::owned_fixed(const at::Tensor& per_group, const Partition& partition,
                                  const at::Tensor& owned) {
  const double largest = largest_of_all(per_group);
  if (!std::isfinite(largest)) {
    owned.fill_(largest);
    return;
  }
  const at::Tensor fixed = first_of(buffers_->fixed, partition.length);
  const at::Tensor packed = first_of(buffers_->packed_fixed, partition.length);
  const at::Tensor mine = first_of(buffers_->owned_fixed, owned.numel());
  const int exponent = kernels::fixed_exponent(largest, static_cast<std::int64_t>(plan_.shards));
  kernels::to_fixed(per_group, fixed, exponent);
  pack(fixed.data_ptr<std::int64_t>(), partition, packed.data_ptr<std::int64_t>());
  const base::Stopwatch reduce;
  communicator_.reduce_scatter<std::int64_t>(integers(packed), integers(mine), partition.sizes,
                                             comm::Op::kSum);
  seconds_ += reduce.seconds();
  kernels::from_fixed(mine, owned, exponent, 1.0);
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
