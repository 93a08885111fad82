// Formulas of a user over the quantities of a MuJoCo model: rewards and ends of their own tasks.
#pragma once

#include <mujoco/mujoco.h>

#include <memory>
#include <string>

namespace tenfold::env {

/// A formula as muParser reads it (+ - * / ^, comparisons, &&, ?:, abs, exp, sqrt, min, ...), with
/// inf, pi and tol(x, low, high, margin = 0, value = 0.1), which is tolerance() of kind gaussian.
/// Its names, in SI units; characters beside letters, digits and _ in the model's names become _.
///
/// - q.JOINT, v.JOINT: position and velocity of a hinge or slide
/// - body.NAME.x .y .z .up: place of a body's frame; up is 1 where its z axis is the world's
/// - site.NAME.x .y .z: place of a site
/// - sensor.NAME, sensor.NAME.0: a sensor's number, or its numbers
/// - u.MOTOR: control as the model takes it
/// - effort: mean over motors of the square of the action, in [-1, 1], behind the control
/// - time: seconds in the episode
class Expression {
 public:
  /// option: for messages ("--reward"). Throws Code::kUsage for what muParser does not understand,
  /// with the place and, for an unknown name, those that are near.
  Expression(const std::string& option, const std::string& text, const mjModel& model);
  ~Expression();
  Expression(Expression&&) noexcept;

  /// Of a simulation whose derived quantities are up to date. Throws Code::kNumeric, with the
  /// values that went in, when it is not finite.
  double value(const mjModel& model, const mjData& data) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace tenfold::env
