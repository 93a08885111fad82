// Environments whose states can be moved by small steps: what a planner that needs derivatives
// asks.
#pragma once

#include "env/batch_env.hpp"

namespace tenfold::env {

/// A BatchEnv whose saved states are points of a smooth space. A tangent holds one number for each
/// direction in which a state can be moved: positions (a quaternion has three), velocities,
/// activations. What a state holds beyond these (time, targets) never moves.
class SmoothBatchEnv : public BatchEnv {
 public:
  virtual std::size_t tangent_size() const = 0;
  /// Moves a state that save gave by a tangent.
  virtual void displace(std::span<double> state, std::span<const double> tangent) const = 0;
  /// The tangent that displaces from to to.
  virtual void difference(std::span<const double> from, std::span<const double> to,
                          std::span<double> tangent) const = 0;
  /// rewards() before they are rounded to float: second differences need the digits. [E]
  virtual std::span<const double> exact_rewards() const = 0;
};

}  // namespace tenfold::env
