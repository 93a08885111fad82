// A planar arm of one to three links whose finger must reach a target.
#include <cmath>
#include <numbers>

#include "env/tasks/parts.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

using std::numbers::pi;

enum class Target { kRandom, kFixed };
enum class Reward { kEasy, kHard, kDense, kNear };

constexpr double kFingerRadius = 0.01;
constexpr double kReach[] = {0.12, 0.24, 0.24};  // of one, two and three joints

template <int kJoints, Target kTarget, Reward kReward>
class Reacher final : public Task {
 public:
  std::string model_file() const override {
    constexpr const char* kFiles[] = {"reacher_single.xml", "reacher.xml", "reacher_triple.xml"};
    return kFiles[kJoints - 1];
  }
  void bind(const mjModel& model) override {
    if constexpr (kJoints == 1) joints_ = {model, {"shoulder"}};
    if constexpr (kJoints == 2) joints_ = {model, {"shoulder", "wrist"}};
    if constexpr (kJoints == 3) joints_ = {model, {"shoulder", "elbow", "wrist"}};
    finger_ = object_id(model, mjOBJ_SITE, "finger");
    target_ = mocap_id(model, "target");
  }
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    joints_.place_anywhere(data, stream);
    if constexpr (kTarget == Target::kFixed) return;  // where the model has it
    const double angle = stream.uniform(0, 2 * pi);
    // One joint reaches a circle and no more.
    const double radius = kJoints == 1 ? kReach[0] : stream.uniform(0.05, 0.20);
    data.mocap_pos[3 * target_] = radius * std::cos(angle);
    data.mocap_pos[3 * target_ + 1] = radius * std::sin(angle);
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  // The shoulder's angle is in it: from the vector to the target alone, arms that move differently
  // would look the same.
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    joints_.write_positions(data, write);
    write.difference(data.mocap_pos + 3 * target_, data.site_xpos + 3 * finger_, "xy");
    joints_.write_velocities(data, write);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double distance = std::hypot(to_target(data, 0), to_target(data, 1));
    if constexpr (kReward == Reward::kEasy) return distance <= 0.05 + kFingerRadius ? 1 : 0;
    if constexpr (kReward == Reward::kHard) return distance <= 0.015 + kFingerRadius ? 1 : 0;
    if constexpr (kReward == Reward::kNear)
      return near_goal(distance, 0.02, kReach[kJoints - 1]) * small_control(model, data);
    return tolerance(distance, 0, 0.02, 0.2) * small_control(model, data);
  }

 private:
  double to_target(const mjData& data, int axis) const {
    return data.mocap_pos[3 * target_ + axis] - data.site_xpos[3 * finger_ + axis];
  }

  Joints<kJoints> joints_;
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
                                                   "the paper's; reward ours", 400),
          entry<1, Target::kRandom, Reward::kNear>(
              "reacherSingle", "1 joint, random target, reward by distance and for being there",
              "the paper's; reward ours", 400),
          entry<3, Target::kRandom, Reward::kNear>(
              "reacher", "3 joints, random target, reward by distance and for being there",
              "the paper's; reward ours", 400),
          entry<3, Target::kFixed, Reward::kNear>(
              "fixedReacher", "3 joints, one target, reward by distance and for being there",
              "the paper's; reward ours", 400)};
}

}  // namespace tenfold::env
