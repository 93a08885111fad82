// An arm of seven joints in space whose finger must reach a target.
#include "env/tasks/parts.hpp"

namespace tenfold::env {

namespace {

constexpr double kReach = 0.75, kTargetRadius = 0.04;

template <bool kRandom>
class Reacher3da final : public Task {
 public:
  std::string model_file() const override { return "reacher_3da.xml"; }
  void bind(const mjModel& model) override {
    joints_ = {model,
               {"shoulder_yaw", "shoulder_pitch", "shoulder_roll", "elbow", "wrist_roll",
                "wrist_pitch", "wrist_yaw"}};
    finger_ = object_id(model, mjOBJ_SITE, "finger");
    target_ = mocap_id(model, "target");
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  // A random target is where the finger of some random pose is: it can always be reached.
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    if constexpr (kRandom) {
      joints_.place_anywhere(data, stream);
      mj_kinematics(&model, &data);
      mju_copy3(data.mocap_pos + 3 * target_, data.site_xpos + 3 * finger_);
    }
    joints_.place_anywhere(data, stream);
  }
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    joints_.write_positions(data, write);
    joints_.write_velocities(data, write);
    write.difference(data.mocap_pos + 3 * target_, data.site_xpos + 3 * finger_);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double distance =
        distance_between(data.mocap_pos + 3 * target_, data.site_xpos + 3 * finger_);
    return near_goal(distance, kTargetRadius, kReach) * small_control(model, data);
  }

 private:
  Joints<7> joints_;
  int finger_ = 0, target_ = 0;
};

template <bool kRandom>
TaskEntry entry(const std::string& name, const std::string& summary) {
  return {{.name = name,
           .summary = summary,
           .source = "the paper's; numbers ours",
           .observation_size = 24,
           .action_size = 7,
           .action_repeat = 2,
           .control_dt = 0.02},
          "",
          400,
          make_task<Reacher3da<kRandom>>};
}

}  // namespace

std::vector<TaskEntry> reacher_3da_tasks() {
  return {entry<false>("reacher3daFixedTarget", "7 joints in space under gravity, one target"),
          entry<true>("reacher3daRandomTarget", "7 joints in space under gravity, random target")};
}

}  // namespace tenfold::env
