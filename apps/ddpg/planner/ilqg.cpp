#include "ddpg/planner/ilqg.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace tenfold::ddpg {

namespace {

constexpr std::size_t kSearches = 8;  // step lengths 1, 1/2, ..., 1/128
constexpr int kTries = 5;             // backward passes per expansion
constexpr double kFactor = 1.6, kLeastMu = 1e-4, kMostMu = 1e6;

}  // namespace

IlqgPlanner::IlqgPlanner(const PlannerOptions& options, const SimulationFactory& simulations)
    : iterations_(options.iterations == 0 ? 1 : options.iterations),
      lookahead_(options.lookahead),
      width_(simulations(1)->action_size()),
      size_(lookahead_ * width_),
      expander_(simulations),
      nominal_(simulations(1)),
      searches_(simulations(kSearches)),
      plan_(size_),
      states_(lookahead_ * nominal_->state_size()),
      path_(lookahead_),
      gains_(lookahead_),
      tried_(kSearches * size_),
      actions_(kSearches * width_),
      totals_(kSearches),
      costs_(kSearches),
      now_(nominal_->state_size()),
      tangent_(expander_.tangent_size()) {
  if (expander_.tangent_size() == 0) {
    throw base::Error(base::Code::kUsage,
                      "--planner ilqg takes derivatives of the dynamics, and this task is not made "
                      "for that",
                      "Use --planner cem");
  }
}

void IlqgPlanner::begin(std::span<double> memory) const {
  std::fill(memory.begin(), memory.end(), 0.0);
  memory.back() = 1;
}

void IlqgPlanner::raise_mu() {
  factor_ = std::max(kFactor, factor_ * kFactor);
  mu_ = std::min(kMostMu, std::max(kLeastMu, mu_ * factor_));
}

void IlqgPlanner::lower_mu() {
  factor_ = std::min(1 / kFactor, factor_ / kFactor);
  mu_ = mu_ * factor_ < kLeastMu ? 0 : mu_ * factor_;
}

// The path that the plan leads to from state: states, cost, and where it ends.
void IlqgPlanner::follow_plan(std::span<const double> state) {
  const std::size_t size = nominal_->state_size();
  nominal_->load(0, state);
  cost_ = 0;
  length_ = lookahead_;
  for (std::size_t t = 0; t < lookahead_; ++t) {
    nominal_->save(0, {states_.data() + t * size, size});
    nominal_->step({plan_.data() + t * width_, width_}, {costs_.data(), 1});
    cost_ += costs_[0];
    if (nominal_->ended(0)) length_ = std::min(length_, t + 1);
  }
}

void IlqgPlanner::act_with_feedback(std::size_t t, std::span<const double> lengths) {
  const std::size_t size = nominal_->state_size();
  for (std::size_t row = 0; row < kSearches; ++row) {
    const float* planned = plan_.data() + t * width_;
    float* action = actions_.data() + row * width_;
    if (t >= length_) {
      std::copy_n(planned, width_, action);
      continue;
    }
    searches_->save(row, now_);
    searches_->difference({states_.data() + t * size, size}, now_, tangent_);
    const Eigen::Map<const Eigen::VectorXd> apart(tangent_.data(),
                                                  static_cast<Eigen::Index>(tangent_.size()));
    const Eigen::VectorXd change =
        lengths[row] * gains_[t].feedforward + gains_[t].feedback * apart;
    for (std::size_t i = 0; i < width_; ++i) {
      const double moved = planned[i] + change[static_cast<Eigen::Index>(i)];
      // A state far from the path can make the change anything; NaN becomes the plan's own action.
      action[i] =
          std::isfinite(moved) ? static_cast<float>(std::clamp(moved, -1.0, 1.0)) : planned[i];
    }
  }
}

// Tries all lengths at once; the least cost, with its plan at the front of tried_.
double IlqgPlanner::search(std::span<const double> state) {
  std::vector<double> lengths(kSearches);
  for (std::size_t row = 0; row < kSearches; ++row) {
    lengths[row] = std::ldexp(1.0, -static_cast<int>(row));
    searches_->load(row, state);
    totals_[row] = 0;
  }
  for (std::size_t t = 0; t < lookahead_; ++t) {
    act_with_feedback(t, lengths);
    searches_->step(actions_, costs_);
    for (std::size_t row = 0; row < kSearches; ++row) {
      totals_[row] += costs_[row];
      std::copy_n(actions_.data() + row * width_, width_, tried_.data() + row * size_ + t * width_);
    }
  }
  const auto best = std::min_element(totals_.begin(), totals_.end());
  const auto row = static_cast<std::size_t>(best - totals_.begin());
  std::copy_n(tried_.data() + row * size_, size_, tried_.data());
  return *best;
}

// One iteration; false when nothing was better than the plan.
bool IlqgPlanner::improve(std::span<const double> state) {
  follow_plan(state);
  const std::size_t size = nominal_->state_size();
  for (std::size_t t = 0; t < length_; ++t) {
    expander_.expand({states_.data() + t * size, size}, {plan_.data() + t * width_, width_},
                     path_[t]);
  }
  for (int attempt = 0; attempt < kTries; ++attempt) {
    if (backward_pass({path_.data(), length_}, plan_, mu_, gains_)) {
      if (search(state) < cost_) {
        std::copy_n(tried_.data(), size_, plan_.data());
        lower_mu();
        return true;
      }
    }
    raise_mu();
  }
  return false;
}

void IlqgPlanner::decide(std::span<const double> state, base::Stream& /*stream*/,
                         std::span<double> memory, std::span<float> action) {
  std::transform(memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(size_), plan_.begin(),
                 [](double each) { return static_cast<float>(each); });
  mu_ = memory[size_];
  factor_ = memory[size_ + 1];
  for (std::int64_t i = 0; i < iterations_ && improve(state); ++i) {
  }
  std::copy_n(plan_.data(), width_, action.begin());
  std::copy(plan_.begin(), plan_.end(), memory.begin());
  move_on(memory.first(size_), width_);
  memory[size_] = mu_;
  memory[size_ + 1] = factor_;
}

}  // namespace tenfold::ddpg
