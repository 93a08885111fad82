// The backward pass of iLQG with control limits.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "ddpg/planner/expansion.hpp"

namespace tenfold::ddpg {

/// u + alpha k + K dx, per decision.
struct Gains {
  Eigen::VectorXd feedforward;  ///< k [m]
  Eigen::MatrixXd feedback;     ///< K [m, n]; rows of actions at a bound are 0
};

/// From the last decision to the first: the quadratic model of the cost to go, its best action
/// within [-1, 1] (solve_box) and the feedback around it (Tassa et al. 2014, equations 6 to 12).
/// mu is added to the curvature in the actions (Levenberg and Marquardt). actions: [T, m] of the
/// path. False, gains undefined, when that curvature is not positive definite at some decision.
bool backward_pass(std::span<const Expansion> path, std::span<const float> actions, double mu,
                   std::vector<Gains>& gains);

}  // namespace tenfold::ddpg
