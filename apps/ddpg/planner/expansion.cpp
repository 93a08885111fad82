#include "ddpg/planner/expansion.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace tenfold::ddpg {

namespace {

// Powers of two: sums with an action on the grid are exact in float.
constexpr double kStateStep = 0x1p-10, kActionStep = 0x1p-7, kActionGrid = 0x1p-16;

std::size_t sample_count(std::size_t directions, bool full) {
  return 1 + 2 * directions + (full ? directions * (directions - 1) : 0);
}

Eigen::MatrixXd without_negative_curvature(const Eigen::MatrixXd& hessian) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(hessian);
  const Eigen::VectorXd kept = solver.eigenvalues().cwiseMax(0.0);
  return solver.eigenvectors() * kept.asDiagonal() * solver.eigenvectors().transpose();
}

}  // namespace

Expander::Expander(const SimulationFactory& simulations) {
  const auto probe = simulations(1);
  n_ = probe->tangent_size();
  m_ = probe->action_size();
  full_ = n_ + m_ <= kMostFull;
  const std::size_t rows = sample_count(n_ + m_, full_);
  simulation_ = simulations(rows);
  results_.resize(static_cast<Eigen::Index>(n_), static_cast<Eigen::Index>(rows));
  costs_.resize(static_cast<Eigen::Index>(rows));
  centre_.resize(static_cast<Eigen::Index>(m_));
  state_.resize(probe->state_size());
  next_.resize(probe->state_size());
  tangent_.resize(n_);
  actions_.resize(rows * m_);
  steps_.assign(n_ + m_, kStateStep);
  std::fill(steps_.begin() + static_cast<std::ptrdiff_t>(n_), steps_.end(), kActionStep);
  lay_out();
}

// Columns 1 + 2 i and 2 + 2 i: direction i, forwards and backwards. Then two for each pair i < j.
std::size_t Expander::pair_row(std::size_t i, std::size_t j) const {
  const std::size_t d = n_ + m_;
  return 1 + 2 * d + 2 * (i * (2 * d - i - 1) / 2 + (j - i - 1));
}

void Expander::lay_out() {
  const std::size_t d = n_ + m_;
  moves_.setZero(static_cast<Eigen::Index>(d), costs_.size());
  const auto set = [this](std::size_t direction, std::size_t row, double sign) {
    moves_(static_cast<Eigen::Index>(direction), static_cast<Eigen::Index>(row)) =
        sign * steps_[direction];
  };
  for (std::size_t i = 0; i < d; ++i) {
    set(i, 1 + 2 * i, 1);
    set(i, 2 + 2 * i, -1);
    for (std::size_t j = i + 1; full_ && j < d; ++j) {
      for (const std::size_t direction : {i, j}) {
        set(direction, pair_row(i, j), 1);
        set(direction, pair_row(i, j) + 1, -1);
      }
    }
  }
}

void Expander::sample(std::span<const double> state) {
  const auto n = static_cast<Eigen::Index>(n_);
  for (std::size_t row = 0; row < simulation_->rows(); ++row) {
    const auto move = moves_.col(static_cast<Eigen::Index>(row));
    std::copy(state.begin(), state.end(), state_.begin());
    std::copy_n(move.data(), n_, tangent_.begin());
    if (move.head(n).any()) simulation_->displace(state_, tangent_);
    simulation_->load(row, state_);
    for (std::size_t i = 0; i < m_; ++i) {
      const auto k = static_cast<Eigen::Index>(i);
      actions_[row * m_ + i] = static_cast<float>(centre_[k] + move[n + k]);
    }
  }
  simulation_->step(actions_, {costs_.data(), static_cast<std::size_t>(costs_.size())});
  results_.setZero();
  if (simulation_->ended(0)) return;  // nothing follows; an unstable state is no number at all
  simulation_->save(0, state_);
  for (std::size_t row = 0; row < simulation_->rows(); ++row) {
    if (simulation_->ended(row)) continue;
    simulation_->save(row, next_);
    double* result = results_.data() + row * n_;
    simulation_->difference(state_, next_, {result, n_});
  }
}

void Expander::mirror(std::size_t plus, std::size_t minus) {
  const bool ended = simulation_->ended(0);
  const bool bad_plus = simulation_->ended(plus) != ended;
  const bool bad_minus = simulation_->ended(minus) != ended;
  const auto p = static_cast<Eigen::Index>(plus), q = static_cast<Eigen::Index>(minus);
  if (bad_plus && bad_minus) {
    results_.col(p).setZero();
    results_.col(q).setZero();
    costs_[p] = costs_[q] = costs_[0];
  } else if (bad_plus) {
    results_.col(p) = -results_.col(q);
    costs_[p] = 2 * costs_[0] - costs_[q];
  } else if (bad_minus) {
    results_.col(q) = -results_.col(p);
    costs_[q] = 2 * costs_[0] - costs_[p];
  }
}

void Expander::collect(Expansion& out) {
  const std::size_t d = n_ + m_;
  const auto n = static_cast<Eigen::Index>(n_), m = static_cast<Eigen::Index>(m_);
  Eigen::MatrixXd jacobian(n, n + m), hessian = Eigen::MatrixXd::Zero(n + m, n + m);
  Eigen::VectorXd gradient(n + m);
  for (std::size_t i = 0; i < d; ++i) {
    mirror(1 + 2 * i, 2 + 2 * i);
    const auto k = static_cast<Eigen::Index>(i);
    const double step = steps_[i];
    jacobian.col(k) = (results_.col(1 + 2 * k) - results_.col(2 + 2 * k)) / (2 * step);
    gradient[k] = (costs_[1 + 2 * k] - costs_[2 + 2 * k]) / (2 * step);
    hessian(k, k) = (costs_[1 + 2 * k] + costs_[2 + 2 * k] - 2 * costs_[0]) / (step * step);
  }
  for (std::size_t i = 0; full_ && i < d; ++i) {
    for (std::size_t j = i + 1; j < d; ++j) {
      const std::size_t row = pair_row(i, j);
      mirror(row, row + 1);
      const auto k = static_cast<Eigen::Index>(i), l = static_cast<Eigen::Index>(j);
      const auto r = static_cast<Eigen::Index>(row);
      const double along = costs_[r] + costs_[r + 1] - 2 * costs_[0];
      hessian(k, l) = hessian(l, k) =
          (along - hessian(k, k) * steps_[i] * steps_[i] - hessian(l, l) * steps_[j] * steps_[j]) /
          (2 * steps_[i] * steps_[j]);
    }
  }
  hessian = without_negative_curvature(hessian);
  out.a = jacobian.leftCols(n);
  out.b = jacobian.rightCols(m);
  out.cx = gradient.head(n);
  out.cu = gradient.tail(m);
  out.cxx = hessian.topLeftCorner(n, n);
  out.cuu = hessian.bottomRightCorner(m, m);
  out.cux = hessian.bottomLeftCorner(m, n);
}

void Expander::expand(std::span<const double> state, std::span<const float> action,
                      Expansion& out) {
  // Samples stay inside of the bounds, where actions are clipped; the gradient is carried from
  // there to the action itself along the curvature.
  Eigen::VectorXd moved(static_cast<Eigen::Index>(m_));
  for (std::size_t i = 0; i < m_; ++i) {
    const auto k = static_cast<Eigen::Index>(i);
    const double on_grid = std::round(action[i] / kActionGrid) * kActionGrid;
    centre_[k] = std::clamp(on_grid, -1 + kActionStep, 1 - kActionStep);
    moved[k] = action[i] - centre_[k];
  }
  sample(state);
  collect(out);
  out.cx += out.cux.transpose() * moved;
  out.cu += out.cuu * moved;
}

}  // namespace tenfold::ddpg
