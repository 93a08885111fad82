// A planar biped.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "env/tasks/locomotion.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kStandHeight = 1.2;  // of the torso's middle, m
constexpr double kPaperSpeed = 2;     // m/s
constexpr double kFallHeight = 0.8;   // m
constexpr double kFallPitch = 1;      // rad

enum class Reward { kStand, kWalk, kRun, kPaper };

template <Reward kReward>
class Walker final : public Task {
 public:
  std::string model_file() const override { return "walker.xml"; }
  void bind(const mjModel& model) override {
    body_.bind(model);
    velocity_ = sensor_address(model, "velocity");
  }
  // dm_control: any pose, turned by any angle. The paper's: nearly straight up, knees bent a
  // little.
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    if constexpr (kReward == Reward::kPaper) {
      for (int i = 3; i < model.nq; i += 3) {
        const double bend = stream.uniform(0.05, 0.35);
        data.qpos[i] = bend;
        data.qpos[i + 1] = -2 * bend;
        data.qpos[i + 2] = bend;
      }
      data.qpos[body_.pitch.qpos] = stream.uniform(-0.05, 0.05);
      for (int i = 0; i < model.nv; ++i) data.qvel[i] = 0.02 * stream.normal();
    } else {
      randomise_joints(model, data, stream);
      data.qpos[body_.pitch.qpos] = stream.uniform(-std::numbers::pi, std::numbers::pi);
    }
    put_on_ground(model, data, body_.z.qpos);
  }
  void refresh(const mjModel& model, mjData& data) const override {
    if constexpr (kReward == Reward::kPaper) {
      mj_forward(&model, &data);
    } else {
      mj_step1(&model, &data);
    }
  }
  bool refresh_begins_step() const override { return true; }
  // As dm_control's: the direction of each body in the plane, the torso's height, all velocities.
  void observe(const mjData& data, float* observation) const override {
    for (int body = body_.torso; body <= body_.torso + body_.joints; ++body) {
      *observation++ = static_cast<float>(data.xmat[9 * body]);
      *observation++ = static_cast<float>(data.xmat[9 * body + 2]);
    }
    *observation++ = static_cast<float>(data.xpos[3 * body_.torso + 2]);
    for (int i = 0; i < 3 + body_.joints; ++i) *observation++ = static_cast<float>(data.qvel[i]);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double speed = data.sensordata[velocity_];
    const double vertical = upright(data, body_.torso);
    if constexpr (kReward == Reward::kPaper) {
      if (ended(data)) return kFallen;
      return std::clamp(speed / kPaperSpeed, -1.0, 1.0) * vertical - effort_and_impact(model, data);
    }
    const double tall =
        tolerance(data.xpos[3 * body_.torso + 2], kStandHeight, kInfinity, kStandHeight / 2);
    const double standing = (3 * tall + (1 + vertical) / 2) / 4;
    if constexpr (kReward == Reward::kStand) return standing;
    constexpr double kGoal = kReward == Reward::kWalk ? 1 : 8;
    const double moving = tolerance(speed, kGoal, kInfinity, kGoal / 2, Sigmoid::kLinear, 0.5);
    return standing * (5 * moving + 1) / 6;
  }
  bool ended(const mjData& data) const override {
    if (kReward != Reward::kPaper) return false;
    return data.xpos[3 * body_.torso + 2] < kFallHeight ||
           upright(data, body_.torso) < std::cos(kFallPitch);
  }

  static TaskEntry entry(const std::string& name, const std::string& summary,
                         const std::string& source) {
    const bool papers = kReward == Reward::kPaper;
    return {{.name = name,
             .summary = summary,
             .source = source,
             .observation_size = 24,
             .action_size = 6,
             .action_repeat = 2,
             .control_dt = 0.025,
             .least_reward = papers ? -1 - kMostEffortAndImpact : 0,
             .can_end = papers},
            "",
            1000,
            make_task<Walker>};
  }

 private:
  Planar body_;
  int velocity_ = 0;
};

}  // namespace

std::vector<TaskEntry> walker_tasks() {
  return {
      Walker<Reward::kStand>::entry("walker_stand", "stand up on two legs",
                                    "dm_control walker-stand"),
      Walker<Reward::kWalk>::entry("walker_walk", "walk at 1 m/s", "dm_control walker-walk"),
      Walker<Reward::kRun>::entry("walker_run", "run at 8 m/s", "dm_control walker-run"),
      Walker<Reward::kPaper>::entry(
          "walker2d", "walk at 2 m/s less effort and impact: -1.06 to 1; a fall ends it with -1",
          "the paper's; reward ours")};
}

}  // namespace tenfold::env
