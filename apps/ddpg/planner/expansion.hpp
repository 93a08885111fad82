// Dynamics to first and cost to second order around a point of a path, by finite differences.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "ddpg/planner/simulation.hpp"

namespace tenfold::ddpg {

/// Around (x, u), with n directions of the state and m actions:
///   x' = A dx + B du,  cost = cx dx + cu du + (dx cxx dx + 2 du cux dx + du cuu du) / 2.
struct Expansion {
  Eigen::MatrixXd a, b;           ///< [n, n], [n, m]
  Eigen::VectorXd cx, cu;         ///< [n], [m]
  Eigen::MatrixXd cxx, cuu, cux;  ///< [n, n], [m, m], [m, n]; the whole is positive semidefinite
};

/// Differences over a whole decision, central, all of one point in one step of a batch. The cost's
/// Hessian has all its entries up to kMostFull directions, beyond that its diagonal alone; negative
/// curvature is cut to 0. Exact for linear dynamics and quadratic convex costs, up to rounding.
class Expander {
 public:
  static constexpr std::size_t kMostFull = 12;

  explicit Expander(const SimulationFactory& simulations);
  std::size_t tangent_size() const { return n_; }
  /// A sample that ends the episode while the point itself goes on, or the other way round, says
  /// nothing about smooth change: its mirror image stands in for it, or nothing if that ended too.
  void expand(std::span<const double> state, std::span<const float> action, Expansion& out);

 private:
  void lay_out();
  void sample(std::span<const double> state);
  void mirror(std::size_t plus, std::size_t minus);
  void collect(Expansion& out);
  std::size_t pair_row(std::size_t i, std::size_t j) const;

  std::size_t n_, m_;
  bool full_;
  std::unique_ptr<Simulation> simulation_;
  Eigen::MatrixXd moves_;    ///< [n + m, rows] of each sample; column 0: none
  Eigen::MatrixXd results_;  ///< [n, rows] tangents from column 0's next state
  Eigen::VectorXd costs_;    ///< [rows]
  Eigen::VectorXd centre_;   ///< [m] action around which samples lie
  std::vector<double> state_, next_, tangent_, steps_;
  std::vector<float> actions_;
};

}  // namespace tenfold::ddpg
