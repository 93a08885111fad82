#include "env/tasks/locomotion.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace tenfold::env {

void Planar::bind(const mjModel& model) {
  x = joint_address(model, "root_x");
  z = joint_address(model, "root_z");
  pitch = joint_address(model, "root_y");
  torso = object_id(model, mjOBJ_BODY, "torso");
  joints = model.nq - 3;
}

float* Planar::observe(const mjData& data, float* observation) const {
  *observation++ = static_cast<float>(data.xpos[3 * torso + 2]);
  *observation++ = static_cast<float>(std::cos(data.qpos[pitch.qpos]));
  *observation++ = static_cast<float>(std::sin(data.qpos[pitch.qpos]));
  for (int i = 3; i < 3 + joints; ++i) *observation++ = static_cast<float>(data.qpos[i]);
  for (int i = 0; i < 3 + joints; ++i) *observation++ = static_cast<float>(data.qvel[i]);
  return observation;
}

int sensor_address(const mjModel& model, const char* name) {
  return model.sensor_adr[object_id(model, mjOBJ_SENSOR, name)];
}

void randomise_joints(const mjModel& model, mjData& data, base::Stream& stream) {
  for (int i = 0; i < model.njnt; ++i) {
    if (model.jnt_type[i] != mjJNT_HINGE || model.jnt_limited[i] == 0) continue;
    const mjtNum* range = model.jnt_range + 2 * i;
    data.qpos[model.jnt_qposadr[i]] = stream.uniform(range[0], range[1]);
  }
}

namespace {

// Of a sphere, capsule or box: the lowest point above z = 0.
double lowest_point(const mjModel& model, const mjData& data, int geom) {
  const mjtNum* size = model.geom_size + 3 * geom;
  const mjtNum* axes = data.geom_xmat + 9 * geom + 6;  // z parts of the geom's axes
  const double middle = data.geom_xpos[3 * geom + 2];
  if (model.geom_type[geom] == mjGEOM_SPHERE) return middle - size[0];
  if (model.geom_type[geom] == mjGEOM_CAPSULE)
    return middle - size[0] - std::abs(axes[2]) * size[1];
  double reach = 0;
  for (int k = 0; k < 3; ++k) reach += std::abs(axes[k]) * size[k];
  return middle - reach;
}

}  // namespace

void put_on_ground(const mjModel& model, mjData& data, int height) {
  constexpr double kGap = 1e-3;
  mj_kinematics(&model, &data);
  double lowest = std::numeric_limits<double>::infinity();
  for (int geom = 0; geom < model.ngeom; ++geom) {
    if (model.geom_type[geom] == mjGEOM_PLANE) continue;
    lowest = std::min(lowest, lowest_point(model, data, geom));
  }
  data.qpos[height] += kGap - lowest;
}

double impact(const mjModel& model, const mjData& data) {
  double sum = 0;
  for (int i = 0; i < data.ncon; ++i) {
    mjtNum force[6];
    mj_contactForce(&model, &data, i, force);
    sum += std::sqrt(force[0] * force[0] + force[1] * force[1] + force[2] * force[2]);
  }
  return sum / (model.body_subtreemass[0] * mju_norm3(model.opt.gravity));
}

double effort_and_impact(const mjModel& model, const mjData& data) {
  double squares = 0;
  for (int i = 0; i < model.nu; ++i) squares += data.ctrl[i] * data.ctrl[i];
  return 0.05 * squares / 6 + 1e-3 * std::min(impact(model, data), 10.0);
}

std::vector<TaskEntry> locomotion_tasks() {
  std::vector<TaskEntry> all;
  for (auto family : {cheetah_tasks, hopper_tasks, walker_tasks, hyq_tasks}) {
    std::vector<TaskEntry> some = family();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace tenfold::env
