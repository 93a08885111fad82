#include "ddpg/planner/cem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tenfold::ddpg {

namespace {

constexpr std::int64_t kIterations = 2;
constexpr double kFirstSpread = 0.6, kLeastSpread = 0.02;  // of an action, in [-1, 1]

}  // namespace

CemPlanner::CemPlanner(const PlannerOptions& options, const SimulationFactory& simulations)
    : options_(options),
      simulation_(simulations(options.samples)),
      width_(simulation_->action_size()),
      size_(options.lookahead * width_),
      elite_(std::clamp<std::size_t>(static_cast<std::size_t>(std::lround(
                                         options.elite * static_cast<double>(options.samples))),
                                     1, options.samples)),
      plans_(options.samples * size_),
      actions_(options.samples * width_),
      spread_(size_),
      noise_(width_),
      costs_(options.samples),
      totals_(options.samples),
      order_(options.samples) {
  if (options_.iterations == 0) options_.iterations = kIterations;
}

void CemPlanner::begin(std::span<double> memory) const {
  std::fill(memory.begin(), memory.end(), 0.0);
}

// Noise follows an autoregressive process along a plan, so that what is tried acts for longer than
// one decision; its variance is 1 at every decision.
void CemPlanner::draw(base::Stream& stream, std::span<const double> mean) {
  const double old = options_.correlation;
  const double fresh = std::sqrt(1 - old * old);
  for (std::size_t sample = 0; sample < options_.samples; ++sample) {
    float* plan = plans_.data() + sample * size_;
    for (std::size_t k = 0; k < size_; ++k) {
      double& part = noise_[k % width_];
      const double drawn = stream.normal();
      part = k < width_ ? drawn : old * part + fresh * drawn;
      const double moved = sample == 0 ? 0 : spread_[k] * part;
      plan[k] = static_cast<float>(std::clamp(mean[k] + moved, -1.0, 1.0));
    }
  }
}

void CemPlanner::evaluate(std::span<const double> state) {
  std::fill(totals_.begin(), totals_.end(), 0.0);
  for (std::size_t sample = 0; sample < options_.samples; ++sample) {
    simulation_->load(sample, state);
  }
  for (std::size_t k = 0; k < size_; k += width_) {
    for (std::size_t sample = 0; sample < options_.samples; ++sample) {
      std::copy_n(plans_.data() + sample * size_ + k, width_, actions_.data() + sample * width_);
    }
    simulation_->step(actions_, costs_);
    for (std::size_t sample = 0; sample < options_.samples; ++sample) {
      totals_[sample] += costs_[sample];
    }
  }
}

void CemPlanner::refit(std::span<double> mean) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [this](std::size_t a, std::size_t b) { return totals_[a] < totals_[b]; });
  const double old = options_.smoothing;
  for (std::size_t k = 0; k < size_; ++k) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < elite_; ++i) sum += plans_[order_[i] * size_ + k];
    const double centre = sum / static_cast<double>(elite_);
    for (std::size_t i = 0; i < elite_; ++i) {
      const double apart = plans_[order_[i] * size_ + k] - centre;
      squares += apart * apart;
    }
    const double spread = std::sqrt(squares / static_cast<double>(elite_));
    mean[k] = old * mean[k] + (1 - old) * centre;
    spread_[k] = std::max(kLeastSpread, old * spread_[k] + (1 - old) * spread);
  }
}

void CemPlanner::decide(std::span<const double> state, base::Stream& stream,
                        std::span<double> memory, std::span<float> action) {
  std::fill(spread_.begin(), spread_.end(), kFirstSpread);
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < options_.iterations; ++i) {
    draw(stream, memory);
    evaluate(state);
    refit(memory);
    const std::size_t best = order_.front();
    if (totals_[best] < least) {
      least = totals_[best];
      std::copy_n(plans_.data() + best * size_, width_, action.begin());
    }
  }
  move_on(memory, width_);
}

}  // namespace tenfold::ddpg
