// What tasks with arms share: joints by name, an observation written number by number, the reward
// of coming near, starts in which nothing touches.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "env/tasks/task.hpp"

namespace tenfold::env {

/// Writes an observation from left to right.
class ObservationWriter {
 public:
  explicit ObservationWriter(float* next) : next_(next) {}
  void number(double value) { *next_++ = static_cast<float>(value); }
  void angle(double radians) {
    number(std::cos(radians));
    number(std::sin(radians));
  }
  /// Where to is, seen from from. axes: "xyz", or those of a plane.
  void difference(const mjtNum* to, const mjtNum* from, const char* axes = "xyz") {
    for (; *axes != '\0'; ++axes) number(to[*axes - 'x'] - from[*axes - 'x']);
  }

 private:
  float* next_;
};

/// Joints with one degree of freedom each, by name.
template <std::size_t kCount>
class Joints {
 public:
  Joints() = default;
  /// Throws Code::kData for a name that the model lacks.
  Joints(const mjModel& model, const std::array<const char*, kCount>& names) {
    for (std::size_t i = 0; i < kCount; ++i) {
      at_[i] = joint_address(model, names[i]);
      const int id = object_id(model, mjOBJ_JOINT, names[i]);
      hinge_[i] = model.jnt_type[id] == mjJNT_HINGE;
      const bool limited = model.jnt_limited[id] != 0;
      low_[i] = limited ? model.jnt_range[2 * id] : -mjPI;
      high_[i] = limited ? model.jnt_range[2 * id + 1] : mjPI;
    }
  }

  /// Every joint anywhere in its range; hinges without limits on the whole circle.
  void place_anywhere(mjData& data, base::Stream& stream) const {
    for (std::size_t i = 0; i < kCount; ++i) {
      data.qpos[at_[i].qpos] = stream.uniform(low_[i], high_[i]);
    }
  }
  /// Uniform within +-noise of pose.
  void place_near(mjData& data, const std::array<double, kCount>& pose, double noise,
                  base::Stream& stream) const {
    for (std::size_t i = 0; i < kCount; ++i) {
      data.qpos[at_[i].qpos] = pose[i] + (noise > 0 ? stream.uniform(-noise, noise) : 0);
    }
  }
  /// Hinges as cosine and sine, slides as they are.
  void write_positions(const mjData& data, ObservationWriter& write) const {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (hinge_[i]) {
        write.angle(data.qpos[at_[i].qpos]);
      } else {
        write.number(data.qpos[at_[i].qpos]);
      }
    }
  }
  void write_velocities(const mjData& data, ObservationWriter& write) const {
    for (const JointAddress& each : at_) write.number(data.qvel[each.qvel]);
  }
  const JointAddress& operator[](std::size_t i) const { return at_[i]; }

 private:
  std::array<JointAddress, kCount> at_{};
  std::array<bool, kCount> hinge_{};
  std::array<double, kCount> low_{}, high_{};
};

/// Distance between two points in space.
inline double distance_between(const mjtNum* a, const mjtNum* b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/// Half for being near (gaussian, 0.1 at margin beyond radius), half for being within radius:
/// "a smooth function of the distance to the goal, sometimes with a bonus inside a small radius"
/// (the paper, supplement).
double near_goal(double distance, double radius, double margin);

/// Approaching an object, then bringing it to its target: 0.3 near_goal(to_object; 3 cm) + 0.7
/// near_goal(to_target; 4 cm); distances and reach, the margin of both, in meters.
double grip_and_place(double to_object, double to_target, double reach);

/// True when two geoms overlap by more than a micrometre: objects at rest on a floor do not count.
/// Brings kinematics and contacts up to date.
bool anything_overlaps(const mjModel& model, mjData& data);

/// Calls draw until nothing overlaps, at most 100 times; then fall_back, which must give a start
/// that is free by construction.
template <class Draw, class FallBack>
void start_free(const mjModel& model, mjData& data, Draw draw, FallBack fall_back) {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    draw();
    if (!anything_overlaps(model, data)) return;
  }
  fall_back();
}

}  // namespace tenfold::env
