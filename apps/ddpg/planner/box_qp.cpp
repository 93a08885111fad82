#include "ddpg/planner/box_qp.hpp"

#include <Eigen/Cholesky>

namespace tenfold::ddpg {

namespace {

constexpr int kMostSteps = 100, kMostHalvings = 50;
constexpr double kArmijo = 0.1, kPrecision = 1e-14;

std::vector<Eigen::Index> free_coordinates(const Eigen::VectorXd& x, const Eigen::VectorXd& slope,
                                           const Eigen::VectorXd& low,
                                           const Eigen::VectorXd& high) {
  std::vector<Eigen::Index> free;
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    const bool held = (x[i] <= low[i] && slope[i] > 0) || (x[i] >= high[i] && slope[i] < 0);
    if (!held) free.push_back(i);
  }
  return free;
}

}  // namespace

BoxSolution solve_box(const Eigen::MatrixXd& h, const Eigen::VectorXd& g,
                      const Eigen::VectorXd& low, const Eigen::VectorXd& high) {
  BoxSolution solution;
  Eigen::VectorXd& x = solution.x;
  x = Eigen::VectorXd::Zero(g.size()).cwiseMax(low).cwiseMin(high);
  if (Eigen::LLT<Eigen::MatrixXd>(h).info() != Eigen::Success) {
    solution.positive = false;
    return solution;
  }
  const auto value = [&](const Eigen::VectorXd& at) { return at.dot(0.5 * (h * at) + g); };
  for (int step = 0; step < kMostSteps; ++step) {
    const Eigen::VectorXd slope = h * x + g;
    solution.free = free_coordinates(x, slope, low, high);
    if (solution.free.empty()) break;
    const Eigen::LLT<Eigen::MatrixXd> factor(h(solution.free, solution.free));
    Eigen::VectorXd direction = Eigen::VectorXd::Zero(x.size());
    direction(solution.free) = -factor.solve(Eigen::VectorXd(slope(solution.free)));
    if (-slope.dot(direction) <= kPrecision * (1 + std::abs(value(x)))) break;
    double length = 1;
    Eigen::VectorXd next = x;
    for (int halving = 0; halving < kMostHalvings; ++halving, length /= 2) {
      next = (x + length * direction).cwiseMax(low).cwiseMin(high);
      if (value(next) - value(x) <= kArmijo * slope.dot(next - x)) break;
    }
    if (next == x) break;
    x = next;
  }
  return solution;
}

}  // namespace tenfold::ddpg
