// A small quadratic programme with bounds, by projected Newton steps (Tassa, Mansard and Todorov
// 2014, section III).
#pragma once

#include <Eigen/Core>
#include <vector>

namespace tenfold::ddpg {

struct BoxSolution {
  bool positive = true;            ///< false: the matrix is not positive definite, no solution
  Eigen::VectorXd x;               ///< [m] within the bounds
  std::vector<Eigen::Index> free;  ///< coordinates that no bound holds
};

/// Minimises x h x / 2 + g x with low <= x <= high. h [m, m] symmetric, low <= high.
BoxSolution solve_box(const Eigen::MatrixXd& h, const Eigen::VectorXd& g,
                      const Eigen::VectorXd& low, const Eigen::VectorXd& high);

}  // namespace tenfold::ddpg
