#include "train/flat_adam.hpp"

#include <ATen/ops/zeros.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/log.hpp"
#include "kernels/flat_optimizer.hpp"

namespace tenfold::train {

namespace {

constexpr int kSkipsInARow = 100;

}  // namespace

FlatAdam::FlatAdam(GradientReducer& reducer, const ShardPlan& plan, Metrics& metrics,
                   const nn::ParameterLayout& layout, const at::Tensor& parameters,
                   std::string what, OptimizerOptions options)
    : reducer_(reducer),
      plan_(plan),
      metrics_(metrics),
      layout_(layout),
      what_(std::move(what)),
      options_(options),
      parameters_(parameters) {
  const std::int64_t length = parameters.numel();
  base::require(length == layout.flat_size(), "FlatAdam: parameters do not fit their layout");
  gradients_ = at::zeros({reducer.groups(), length}, parameters.options());
  if (!options_.zero1) {
    total_ = at::zeros({length}, parameters.options());
    m_ = at::zeros({length}, parameters.options());
    v_ = at::zeros({length}, parameters.options());
    return;
  }
  partition_ = shard_partition(length, plan);
  total_ = at::zeros({partition_.sizes[static_cast<std::size_t>(plan.rank)]}, parameters.options());
  const auto local = static_cast<std::int64_t>(plan.local());
  const std::int64_t piece = shard_piece_size(length, plan.shards);
  m_ = at::zeros({local, piece}, parameters.options());
  v_ = at::zeros({local, piece}, parameters.options());
}

void FlatAdam::set_decay(const at::Tensor& l2) {
  base::require(l2.numel() == parameters_.numel(), "FlatAdam: decay has another size");
  if (!options_.zero1) {
    l2_ = l2;
    return;
  }
  l2_ = at::zeros({total_.numel()}, l2.options());
  std::int64_t at = 0;
  for (const Piece& piece : partition_.pieces[static_cast<std::size_t>(plan_.rank)]) {
    l2_.narrow(0, at, piece.size).copy_(l2.narrow(0, piece.begin, piece.size));
    at += piece.size;
  }
}

void FlatAdam::set_moments(const kernels::AdamOptions& adam) {
  adam_ = adam;
}

kernels::AdamOptions FlatAdam::at_rate(double lr) const {
  kernels::AdamOptions options = adam_;
  options.lr = lr;
  return options;
}

void FlatAdam::clip(double norm, double largest) {
  // As PyTorch: 1e-6 keeps a norm of zero from dividing.
  if (skip_ || norm <= largest || total_.numel() == 0) return;
  kernels::scale(total_, largest / (norm + 1e-6));
}

double FlatAdam::reduce() {
  skip_ = false;
  try {
    if (options_.zero1) return reducer_.sum_owned(gradients_, partition_, total_, &layout_, what_);
    reducer_.sum(gradients_, total_, &layout_, what_);
    return std::sqrt(kernels::sum_of_squares(total_));
  } catch (const comm::AgreedError& error) {
    if (error.code() != base::Code::kNumeric) throw;
    skip(error);
    return std::numeric_limits<double>::quiet_NaN();
  }
}

void FlatAdam::reject(const base::Error& reason) {
  skip(comm::AgreedError(reason, 0, comm::host_name()));
}

void FlatAdam::skip(const comm::AgreedError& error) {
  if (!options_.skip_nonfinite) throw error;
  ++skips_in_a_row_;
  if (skips_in_a_row_ >= kSkipsInARow) {
    throw comm::AgreedError(base::Error(base::Code::kNumeric,
                                        fmt::format("{}; {} updates in a row were skipped for such",
                                                    error.message(), skips_in_a_row_),
                                        error.hint()),
                            error.rank(), error.host());
  }
  skip_ = true;
  why_skipped_ = error.message();
  if (plan_.rank != 0) return;
  metrics_.add("train/skipped_updates", 1);
  if (std::has_single_bit(++skipped_)) {  // else one bad row of a replay memory fills the log
    base::log_warning("update {} of {} is skipped, {} so far: {}", steps_ + 1, what_, skipped_,
                      error.message());
  }
}

void FlatAdam::step_piece(const Piece& piece, std::int64_t at, std::size_t local_shard, double lr) {
  if (piece.size == 0) return;
  const auto row = static_cast<std::int64_t>(local_shard);
  kernels::adam_step(parameters_.narrow(0, piece.begin, piece.size),
                     total_.narrow(0, at, piece.size), m_[row].narrow(0, 0, piece.size),
                     v_[row].narrow(0, 0, piece.size),
                     l2_.defined() ? l2_.narrow(0, at, piece.size) : l2_, steps_, at_rate(lr));
}

void FlatAdam::share(SharedAdam* shared) {
  base::require(shared == nullptr || !options_.zero1, "FlatAdam: shared and ZeRO-1");
  base::require(shared == nullptr || !adam_.decoupled_decay, "FlatAdam: shared and AdamW");
  shared_ = shared;
}

void FlatAdam::get_shared() {
  shared_->get(parameters_, m_, v_);
  steps_ = shared_->steps();
}

void FlatAdam::set_shared() const {
  shared_->set(parameters_, m_, v_, steps_);
}

void FlatAdam::step(double lr) {
  if (!skip_) skips_in_a_row_ = 0;
  if (shared_ != nullptr) {
    steps_ = skip_ ? shared_->skip() : shared_->step(total_, l2_, lr, parameters_);
    return;
  }
  ++steps_;
  if (skip_) return;
  if (!options_.zero1) {
    kernels::adam_step(parameters_, total_, m_, v_, l2_, steps_, at_rate(lr));
    return;
  }
  std::int64_t at = 0;
  const std::vector<Piece>& mine = partition_.pieces[static_cast<std::size_t>(plan_.rank)];
  for (std::size_t k = 0; k < mine.size(); ++k) {
    step_piece(mine[k], at, k, lr);
    at += mine[k].size;
  }
  reducer_.gather_owned(partition_, parameters_);
}

void FlatAdam::state(store::StateRegistry& registry) {
  const std::string prefix = "optimizer/" + what_;
  registry.replicated(prefix + "/step", &steps_);
  if (!options_.zero1) {
    register_flat(registry, prefix + "/m", m_, layout_);
    register_flat(registry, prefix + "/v", v_, layout_);
    return;
  }
  const auto piece = static_cast<std::uint64_t>(m_.size(1));
  const auto of = [this](const at::Tensor& moments) {
    return [this, data = moments.data_ptr<float>(), width = moments.size(1)](std::size_t shard) {
      return data + static_cast<std::int64_t>(plan_.local_index(shard)) * width;
    };
  };
  registry.sharded<float>(prefix + "/m", {piece}, of(m_));
  registry.sharded<float>(prefix + "/v", {piece}, of(v_));
}

std::int64_t FlatAdam::state_bytes() const {
  return (total_.numel() + m_.numel() + v_.numel()) * static_cast<std::int64_t>(sizeof(float));
}

void register_flat(store::StateRegistry& registry, const std::string& prefix,
                   const at::Tensor& flat, const nn::ParameterLayout& layout) {
  for (const nn::ParameterEntry& entry : layout.entries()) {
    std::vector<std::uint64_t> shape(entry.shape.begin(), entry.shape.end());
    registry.replicated(prefix + "/" + entry.name, flat.data_ptr<float>() + entry.offset,
                        std::move(shape));
  }
}

}  // namespace tenfold::train
