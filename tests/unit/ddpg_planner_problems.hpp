// Problems with known answers for planners: linear dynamics, quadratic cost, and an edge to fall
// off.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <memory>
#include <utility>

#include "ddpg/planner/simulation.hpp"

namespace tenfold::test {

/// x' = A x + B u; cost of a decision (x Q x + u R u + 2 u S x) / 2 + q x. Falls, ending with one
/// more cost of `fall`, where x[0] gets above edge.
struct LinearQuadratic {
  Eigen::MatrixXd a, b, q, r, s;
  Eigen::VectorXd linear;
  double edge = 1e300, fall = 0;
};

class LinearSimulation final : public ddpg::Simulation {
 public:
  LinearSimulation(LinearQuadratic problem, std::size_t rows)
      : problem_(std::move(problem)),
        states_(rows, Eigen::VectorXd::Zero(problem_.a.rows())),
        ended_(rows) {}
  std::size_t rows() const override { return states_.size(); }
  std::size_t state_size() const override { return static_cast<std::size_t>(problem_.a.rows()); }
  std::size_t action_size() const override { return static_cast<std::size_t>(problem_.b.cols()); }
  std::size_t tangent_size() const override { return state_size(); }
  void load(std::size_t row, std::span<const double> state) override {
    std::copy(state.begin(), state.end(), states_[row].data());
    ended_[row] = 0;
  }
  void save(std::size_t row, std::span<double> state) const override {
    std::copy_n(states_[row].data(), state.size(), state.data());
  }
  void step(std::span<const float> actions, std::span<double> costs) override {
    for (std::size_t row = 0; row < rows(); ++row) {
      Eigen::VectorXd& x = states_[row];
      const auto m = problem_.b.cols();
      const Eigen::VectorXd u =
          Eigen::Map<const Eigen::VectorXf>(actions.data() + row * action_size(), m)
              .cast<double>()
              .cwiseMax(-1.0)
              .cwiseMin(1.0);
      if (ended(row)) {
        costs[row] = 1;
        continue;
      }
      costs[row] = 0.5 * x.dot(problem_.q * x) + 0.5 * u.dot(problem_.r * u) +
                   u.dot(problem_.s * x) + problem_.linear.dot(x);
      x = problem_.a * x + problem_.b * u;
      if (x[0] > problem_.edge) {
        costs[row] += problem_.fall;
        ended_[row] = 1;
      }
    }
  }
  bool ended(std::size_t row) const override { return ended_[row] != 0; }
  void displace(std::span<double> state, std::span<const double> tangent) const override {
    for (std::size_t i = 0; i < state.size(); ++i) state[i] += tangent[i];
  }
  void difference(std::span<const double> from, std::span<const double> to,
                  std::span<double> tangent) const override {
    for (std::size_t i = 0; i < from.size(); ++i) tangent[i] = to[i] - from[i];
  }

 private:
  LinearQuadratic problem_;
  std::vector<Eigen::VectorXd> states_;
  std::vector<std::uint8_t> ended_;
};

inline ddpg::SimulationFactory simulations_of(const LinearQuadratic& problem) {
  return [problem](std::size_t rows) { return std::make_unique<LinearSimulation>(problem, rows); };
}

/// A small oscillator pushed by two motors, one of them on both parts of the state.
inline LinearQuadratic oscillator() {
  LinearQuadratic problem;
  problem.a = (Eigen::MatrixXd(2, 2) << 1.0, 0.1, -0.3, 0.95).finished();
  problem.b = (Eigen::MatrixXd(2, 2) << 0.02, 0.0, 0.2, -0.15).finished();
  problem.q = (Eigen::MatrixXd(2, 2) << 1.0, 0.1, 0.1, 0.3).finished();
  problem.r = (Eigen::MatrixXd(2, 2) << 0.5, 0.05, 0.05, 0.8).finished();
  problem.s = (Eigen::MatrixXd(2, 2) << 0.05, 0.02, -0.03, 0.04).finished();
  problem.linear = Eigen::VectorXd::Zero(2);
  return problem;
}

}  // namespace tenfold::test
