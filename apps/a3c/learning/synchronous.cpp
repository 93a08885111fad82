#include "a3c/learning/synchronous.hpp"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <span>

#include "a3c/learning/schedules.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "kernels/flat_optimizer.hpp"
#include "train/schedule.hpp"

namespace tenfold::a3c {

Synchronous::Synchronous(const Config& config, train::RunContext& context)
    : Learning(config, context),
      gradients_(at::zeros({context.reducer->groups(), parameters_.numel()}, at::kFloat)),
      one_(at::empty_like(parameters_)),
      mean_(at::empty_like(parameters_)) {}

// No collective calls: it may fail on one rank alone.
std::int64_t Synchronous::roll_out_all() {
  const bool together = gradients_.size(0) == 1;
  if (together) gradients_.zero_();
  std::int64_t decisions = 0;
  for (std::size_t i = 0; i < actors_.size(); ++i) {
    decisions += roll_out(actors_[i], decisions_, one_);
    if (kernels::first_nonfinite(one_) >= 0) {
      refuse(actors_[i], one_);
      one_.zero_();
    }
    if (together) {
      gradients_[0].add_(one_);
    } else {
      gradients_[static_cast<std::int64_t>(i)].copy_(one_);
    }
  }
  return decisions;
}

void Synchronous::update(train::RunContext& context, std::int64_t decisions) {
  const std::int64_t before = decisions_;
  decisions_ += decisions;
  try {
    context.reducer->sum(gradients_, mean_, &networks_.layout(), "all actors");
  } catch (const base::Error& error) {  // the same on all ranks
    if (error.code() != base::Code::kNumeric) throw;
    context.world.agree([&] { gate_.refuse(mean_, fmt::format("decision {}", before), tally_); });
    return;
  }
  mean_.div_(static_cast<double>(context.shards.shards));
  base::require(gate_.pass(mean_, tally_), "the mean of finite gradients is finite");
  const double lr = learning_rate(config_, before);
  plain_step(optimizer_, lr, mean_.data_ptr<float>(), statistics_.data_ptr<float>(),
             parameters_.data_ptr<float>(), parameters_.numel());
  tally_.learning_rate += lr;
  ++updates_;
  tally_.updates += 1;
  const auto unsigned_of = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  if (train::crosses(unsigned_of(before), unsigned_of(decisions_),
                     unsigned_of(config_.target_period))) {
    target_.copy_(parameters_);
    ++copies_;
  }
}

std::uint64_t Synchronous::step(train::RunContext& context) {
  report_lost(context);
  const base::Stopwatch watch;
  const std::int64_t first = decisions_;
  const std::int64_t limit = std::min(first + config_.block, config_.total_steps);
  while (decisions_ < limit) {
    std::array<std::int64_t, 2> all{0, signalled() ? 1 : 0};  // decisions; ranks that have to stop
    context.world.agree([&] { all[0] = roll_out_all(); });
    context.world.all_reduce(std::span<std::int64_t>(all), comm::Op::kSum);
    update(context, all[0]);
    if (all[1] > 0) break;
  }
  publish(context, static_cast<std::uint64_t>(decisions_), watch.seconds(),
          context.reducer->take_seconds());
  return static_cast<std::uint64_t>(decisions_ - first);
}

}  // namespace tenfold::a3c
