// A planar monoped.
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "env/tasks/locomotion.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kStandHeight = 0.6;  // of the torso above the foot, m
constexpr double kHopSpeed = 2;       // m/s
constexpr double kFallHeight = 0.45;  // of the torso, m

enum class Reward { kStand, kHop, kPaper };

template <Reward kReward>
class Hopper final : public Task {
 public:
  std::string model_file() const override { return "hopper.xml"; }
  void bind(const mjModel& model) override {
    body_.bind(model);
    foot_ = object_id(model, mjOBJ_BODY, "foot");
    velocity_ = sensor_address(model, "velocity");
    touch_ = {sensor_address(model, "toe"), sensor_address(model, "heel")};
    hip_ = joint_address(model, "hip");
    knee_ = joint_address(model, "knee");
    ankle_ = joint_address(model, "ankle");
  }
  // dm_control: any pose, turned by any angle. The paper's: knee bent, foot flat and under the
  // body.
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    if constexpr (kReward == Reward::kPaper) {
      const double bend = stream.uniform(0.3, 0.5);
      data.qpos[hip_.qpos] = -bend;
      data.qpos[knee_.qpos] = 2 * bend;
      data.qpos[ankle_.qpos] = -bend;
      data.qpos[body_.pitch.qpos] = stream.uniform(-0.02, 0.02);
      for (int i = 0; i < model.nv; ++i) data.qvel[i] = 0.01 * stream.normal();
    } else {
      randomise_joints(model, data, stream);
      data.qpos[body_.pitch.qpos] = stream.uniform(-std::numbers::pi, std::numbers::pi);
    }
    put_on_ground(model, data, body_.z.qpos);
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_forward(&model, &data); }
  bool refresh_begins_step() const override { return true; }
  void observe(const mjData& data, float* observation) const override {
    observation = body_.observe(data, observation);
    for (const int sensor : touch_) {
      *observation++ = static_cast<float>(std::log1p(data.sensordata[sensor]));
    }
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double height = data.xpos[3 * body_.torso + 2] - data.xpos[3 * foot_ + 2];
    const double standing = tolerance(height, kStandHeight, 2);
    if constexpr (kReward == Reward::kHop) {
      return standing * tolerance(data.sensordata[velocity_], kHopSpeed, kInfinity, kHopSpeed / 2,
                                  Sigmoid::kLinear, 0.5);
    }
    if (ended(data)) return kFallen;
    return standing * small_control(model, data);
  }
  bool ended(const mjData& data) const override {
    return kReward == Reward::kPaper && data.xpos[3 * body_.torso + 2] < kFallHeight;
  }

  static TaskEntry entry(const std::string& name, const std::string& summary,
                         const std::string& source) {
    const bool papers = kReward == Reward::kPaper;
    return {{.name = name,
             .summary = summary,
             .source = source,
             .observation_size = 16,
             .action_size = 4,
             .action_repeat = 2,
             .control_dt = 0.02,
             .least_reward = papers ? kFallen : 0,
             .can_end = papers},
            "",
            1000,
            make_task<Hopper>};
  }

 private:
  Planar body_;
  int foot_ = 0, velocity_ = 0;
  std::array<int, 2> touch_ = {};
  JointAddress hip_, knee_, ankle_;
};

}  // namespace

std::vector<TaskEntry> hopper_tasks() {
  return {
      Hopper<Reward::kStand>::entry("hopper_stand", "stand up on one leg",
                                    "dm_control hopper-stand"),
      Hopper<Reward::kHop>::entry("hopper_hop", "hop on one leg at 2 m/s", "dm_control hopper-hop"),
      Hopper<Reward::kPaper>::entry("hopper", "stay up on one leg; a fall ends it with -1",
                                    "the paper's; reward ours")};
}

}  // namespace tenfold::env
