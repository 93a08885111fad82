// A planar arm of one or two links whose finger must reach a target.
#include <cmath>
#include <numbers>

#include "env/tasks/task.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

using std::numbers::pi;

enum class Target { kRandom, kFixed };
enum class Reward { kEasy, kHard, kDense };

constexpr double kFingerRadius = 0.01;

template <int kJoints, Target kTarget, Reward kReward>
class Reacher final : public Task {
 public:
  std::string model_file() const override {
    return kJoints == 1 ? "reacher_single.xml" : "reacher.xml";
  }
  void bind(const mjModel& model) override {
    constexpr const char* kNames[] = {"shoulder", "wrist"};
    for (int i = 0; i < kJoints; ++i) {
      joint_[i] = joint_address(model, kNames[i]);
      const int id = object_id(model, mjOBJ_JOINT, kNames[i]);
      range_[i] = model.jnt_limited[id] != 0 ? model.jnt_range[2 * id + 1] : pi;
    }
    finger_ = object_id(model, mjOBJ_SITE, "finger");
    target_ = mocap_id(model, "target");
  }
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    for (int i = 0; i < kJoints; ++i)
      data.qpos[joint_[i].qpos] = stream.uniform(-range_[i], range_[i]);
    if constexpr (kTarget == Target::kFixed) return;  // where the model has it
    const double angle = stream.uniform(0, 2 * pi);
    const double radius = stream.uniform(0.05, 0.20);
    data.mocap_pos[3 * target_] = radius * std::cos(angle);
    data.mocap_pos[3 * target_ + 1] = radius * std::sin(angle);
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  // The shoulder's angle is in it: from the vector to the target alone, arms that move differently
  // would look the same.
  void observe(const mjData& data, float* observation) const override {
    for (int i = 0; i < kJoints; ++i) {
      *observation++ = static_cast<float>(std::cos(data.qpos[joint_[i].qpos]));
      *observation++ = static_cast<float>(std::sin(data.qpos[joint_[i].qpos]));
    }
    *observation++ = static_cast<float>(to_target(data, 0));
    *observation++ = static_cast<float>(to_target(data, 1));
    for (int i = 0; i < kJoints; ++i)
      *observation++ = static_cast<float>(data.qvel[joint_[i].qvel]);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double distance = std::hypot(to_target(data, 0), to_target(data, 1));
    if constexpr (kReward == Reward::kEasy) return distance <= 0.05 + kFingerRadius ? 1 : 0;
    if constexpr (kReward == Reward::kHard) return distance <= 0.015 + kFingerRadius ? 1 : 0;
    return tolerance(distance, 0, 0.02, 0.2) * small_control(model, data);
  }

 private:
  double to_target(const mjData& data, int axis) const {
    return data.mocap_pos[3 * target_ + axis] - data.site_xpos[3 * finger_ + axis];
  }

  JointAddress joint_[kJoints];
  double range_[kJoints] = {};
  int finger_ = 0, target_ = 0;
};

template <int kJoints, Target kTarget, Reward kReward>
TaskEntry entry(const std::string& name, const std::string& summary, const std::string& source,
                std::int64_t control_steps) {
  return {{.name = name,
           .summary = summary,
           .source = source,
           .observation_size = 3 * kJoints + 2,
           .action_size = kJoints,
           .action_repeat = 2,
           .control_dt = 0.02},
          "",
          control_steps,
          make_task<Reacher<kJoints, kTarget, kReward>>};
}

}  // namespace

// The dense ones have short episodes: 40 000 decisions of 500 each would show an agent only 80
// targets.
std::vector<TaskEntry> reacher_tasks() {
  return {entry<2, Target::kRandom, Reward::kEasy>(
              "reacher_easy", "2 joints, touch a target of 5 cm, reward 0 or 1",
              "dm_control reacher-easy", 1000),
          entry<2, Target::kRandom, Reward::kHard>(
              "reacher_hard", "2 joints, touch a target of 1.5 cm, reward 0 or 1",
              "dm_control reacher-hard", 1000),
          entry<2, Target::kRandom, Reward::kDense>("reacherDouble",
                                                    "2 joints, random target, reward by distance",
                                                    "the paper's; reward ours", 400),
          entry<2, Target::kFixed, Reward::kDense>("fixedReacherDouble",
                                                   "2 joints, one target, reward by distance",
                                                   "the paper's; reward ours", 400),
          entry<1, Target::kFixed, Reward::kDense>("fixedReacherSingle",
                                                   "1 joint, one target, reward by distance",
                                                   "the paper's; reward ours", 400)};
}

}  // namespace tenfold::env
