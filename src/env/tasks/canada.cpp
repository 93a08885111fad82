// An arm with a stick that must bring a puck to a target: three joints in the plane, or seven in
// space.
#include "env/tasks/parts.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

constexpr double kBladeRadius = 0.05, kTargetRadius = 0.05, kTargetMargin = 1;

// kReach: of arm and stick, the margin of coming near the puck.
template <std::size_t kJoints>
class Canada final : public Task {
 public:
  std::string model_file() const override { return kFlat ? "canada2d.xml" : "canada.xml"; }
  void bind(const mjModel& model) override {
    if constexpr (kFlat) {
      arm_ = {model, {"shoulder", "elbow", "wrist"}};
    } else {
      arm_ = {model,
              {"shoulder_yaw", "shoulder_pitch", "shoulder_roll", "elbow", "wrist_roll",
               "wrist_pitch", "wrist_yaw"}};
    }
    puck_ = {model, {"puck_x", "puck_y", "puck_turn"}};
    blade_ = object_id(model, mjOBJ_SITE, "blade");
    body_ = object_id(model, mjOBJ_BODY, "puck");
    target_ = mocap_id(model, "target");
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    place_puck(data, stream);
    place_target(data, stream);
    start_free(
        model, data, [&] { place_arm(data, true, stream); },
        [&] { place_arm(data, false, stream); });
  }
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    arm_.write_positions(data, write);
    write.angle(data.qpos[puck_[2].qpos]);
    write.difference(puck(data), data.site_xpos + 3 * blade_, kFlat ? "xy" : "xyz");
    write.difference(target(data), puck(data), "xy");
    arm_.write_velocities(data, write);
    puck_.write_velocities(data, write);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double to_puck = distance_between(data.site_xpos + 3 * blade_, puck(data));
    const double to_target =
        std::hypot(target(data)[0] - puck(data)[0], target(data)[1] - puck(data)[1]);
    return (0.2 * near_goal(to_puck, kBladeRadius, kReach) +
            0.8 * tolerance(to_target, 0, kTargetRadius, kTargetMargin)) *
           small_control(model, data);
  }

 private:
  static constexpr bool kFlat = kJoints == 3;
  static constexpr double kReach = kFlat ? 0.85 : 1.05;

  const mjtNum* puck(const mjData& data) const { return data.xpos + 3 * body_; }
  const mjtNum* target(const mjData& data) const { return data.mocap_pos + 3 * target_; }

  // Within reach of the stick.
  void place_puck(mjData& data, base::Stream& stream) const {
    const double radius = kFlat ? stream.uniform(0.35, 0.75) : stream.uniform(0.65, 0.85);
    const double angle = kFlat ? stream.uniform(-mjPI, mjPI) : stream.uniform(-0.5, 0.5);
    data.qpos[puck_[0].qpos] = radius * std::cos(angle);
    data.qpos[puck_[1].qpos] = radius * std::sin(angle);
    data.qpos[puck_[2].qpos] = stream.uniform(-mjPI, mjPI);
  }
  // Also where only a shot gets it.
  void place_target(mjData& data, base::Stream& stream) const {
    const double radius = kFlat ? stream.uniform(0.35, 1.0) : stream.uniform(0.7, 1.5);
    const double angle = kFlat ? stream.uniform(-mjPI, mjPI) : stream.uniform(-0.6, 0.6);
    data.mocap_pos[3 * target_] = radius * std::cos(angle);
    data.mocap_pos[3 * target_ + 1] = radius * std::sin(angle);
  }
  void place_arm(mjData& data, bool random, base::Stream& stream) const {
    if constexpr (kFlat) {
      if (random) return arm_.place_anywhere(data, stream);
      // Folded: no puck is that near to the base.
      arm_.place_near(data, {0, 2.5, 2.0}, 0, stream);
    } else {
      // The blade 5 cm above the ice at x = 0.74 m; without noise 15 cm, where no puck is.
      arm_.place_near(data, {0, random ? -0.35 : -0.6, 0, 1.4, 0, -0.18, 0}, random ? 0.1 : 0,
                      stream);
    }
  }

  Joints<kJoints> arm_;
  Joints<3> puck_;
  int blade_ = 0, body_ = 0, target_ = 0;
};

template <std::size_t kJoints>
TaskEntry entry(const std::string& name, const std::string& summary) {
  return {{.name = name,
           .summary = summary,
           .source = "the paper's; numbers ours",
           .observation_size = 3 * kJoints + 9 + (kJoints == 3 ? 0U : 1U),
           .action_size = kJoints,
           .action_repeat = 2,
           .control_dt = 0.02},
          "",
          400,
          make_task<Canada<kJoints>>};
}

}  // namespace

std::vector<TaskEntry> canada_tasks() {
  return {entry<3>("canada2d", "shoot or push a puck to a target with a stick, 3 joints, random"),
          entry<7>("canada", "shoot or push a puck to a target with a stick, 7 joints, random")};
}

}  // namespace tenfold::env
