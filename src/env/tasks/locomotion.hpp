// What the tasks that run, hop, walk and stand have in common.
#pragma once

#include "env/tasks/task.hpp"

namespace tenfold::env {

/// The reward where a task's body has fallen; unless told to go on, the task ends there
/// (ours: the paper has words only).
constexpr double kFallen = -1;

/// A body in the vertical plane: joints root_x, root_z (slides) and root_y (hinge), a body "torso".
/// The place along x is part of no observation: nothing depends on it.
struct Planar {
  /// Throws Code::kData when a joint or the torso is missing.
  void bind(const mjModel& model);
  /// Height, cosine and sine of the pitch, the joints' angles (nq - 3), all velocities (nv).
  float* observe(const mjData& data, float* observation) const;

  JointAddress x, z, pitch;
  int torso = 0;
  int joints = 0;  ///< after the root's three
};

/// Address in sensordata of a named sensor. Throws Code::kData.
int sensor_address(const mjModel& model, const char* name);

/// Every limited hinge uniform within its range.
void randomise_joints(const mjModel& model, mjData& data, base::Stream& stream);
/// Changes a height in qpos so that the lowest geom is 1 mm above the ground at z = 0: bodies
/// placed at random would otherwise start inside it and be shot out.
void put_on_ground(const mjModel& model, mjData& data, int height);

/// Magnitudes of all contact forces, summed, in body weights: 1 when standing still. Reads the
/// forces that mj_forward finds for the state and controls at the end of a control step.
double impact(const mjModel& model, const mjData& data);
/// 0.05 |u|^2 / 6 + 0.001 min(impact, 10) (ours): six motors cost at most 0.05.
double effort_and_impact(const mjModel& model, const mjData& data);
constexpr double kMostEffortAndImpact = 0.06;

/// Cosine of the angle between a body's z axis and the vertical.
inline double upright(const mjData& data, int body) {
  return data.xmat[9 * body + 8];
}

std::vector<TaskEntry> cheetah_tasks();
std::vector<TaskEntry> hopper_tasks();
std::vector<TaskEntry> walker_tasks();
std::vector<TaskEntry> hyq_tasks();

}  // namespace tenfold::env
