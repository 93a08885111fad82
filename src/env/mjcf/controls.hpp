// Controls of a model whose motors take other ranges than [-1, 1].
#pragma once

#include <mujoco/mujoco.h>

namespace tenfold::env {

/// The control of motor i for an action in [-1, 1]: the range's ends for -1 and 1.
inline double scaled_control(const mjModel& model, int motor, double action) {
  const double low = model.actuator_ctrlrange[2 * motor],
               high = model.actuator_ctrlrange[2 * motor + 1];
  return low + (action + 1) / 2 * (high - low);
}

/// Mean over motors of the square of the action behind each control; 0 without motors.
inline double effort(const mjModel& model, const mjData& data) {
  double sum = 0;
  for (int i = 0; i < model.nu; ++i) {
    const double low = model.actuator_ctrlrange[2 * i], high = model.actuator_ctrlrange[2 * i + 1];
    const double action = (2 * data.ctrl[i] - low - high) / (high - low);
    sum += action * action;
  }
  return model.nu == 0 ? 0 : sum / model.nu;
}

}  // namespace tenfold::env
