// A quadruped that must keep standing, also when it is kicked.
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "base/error.hpp"
#include "env/tasks/locomotion.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kStandHeight = 0.45;  // of the torso's middle, m
constexpr double kFallHeight = 0.25;
constexpr double kFallUpright = 0.5;  // cosine of the torso's tilt: 60 degrees
constexpr int kLegs = 4;
constexpr std::array<const char*, 4> kLegNames = {"left_front", "right_front", "left_hind",
                                                  "right_hind"};
constexpr std::array<const char*, 3> kPartNames = {"_side", "_hip", "_knee"};

constexpr double kKickEvery = 2;  // s
constexpr double kKickSeconds = 0.1;

enum class Kicks { kNone, kRandom };

template <Kicks kKicks>
class Hyq final : public Task {
 public:
  std::string model_file() const override { return "hyq.xml"; }
  void bind(const mjModel& model) override {
    torso_ = object_id(model, mjOBJ_BODY, "torso");
    root_ = model.jnt_qposadr[object_id(model, mjOBJ_JOINT, "root")];
    for (int leg = 0; leg < kLegs; ++leg) {
      for (int part = 0; part < 3; ++part) {
        const std::string name = std::string(kLegNames[leg]) + kPartNames[part];
        joint_[3 * leg + part] = joint_address(model, name.c_str());
      }
    }
    if (model.nuserdata < 2) {
      throw base::Error(base::Code::kData, "the model has fewer than 2 numbers of user data",
                        "Add <size nuserdata=\"2\"/>: they key the kicks");
    }
  }
  // On its feet, legs bent, facing anywhere.
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    const double yaw = stream.uniform(-std::numbers::pi, std::numbers::pi);
    data.qpos[root_ + 3] = std::cos(yaw / 2);
    data.qpos[root_ + 6] = std::sin(yaw / 2);
    for (int leg = 0; leg < kLegs; ++leg) {
      const double side = leg < 2 ? 1 : -1;  // hind legs are bent the other way
      const JointAddress* joint = joint_.data() + 3 * leg;
      data.qpos[joint[0].qpos] = stream.uniform(-0.1, 0.1);
      data.qpos[joint[1].qpos] = side * (0.6 + stream.uniform(-0.1, 0.1));
      data.qpos[joint[2].qpos] = side * (-1.2 + stream.uniform(-0.1, 0.1));
    }
    put_on_ground(model, data, root_ + 2);
    // The key of this episode's kicks: with the time, all that the kicks depend on.
    for (int i = 0; i < 2; ++i) data.userdata[i] = stream.bits();
  }
  void refresh(const mjModel& model, mjData& data) const override {
    if constexpr (kKicks == Kicks::kRandom) kick(data);
    mj_kinematics(&model, &data);
  }
  // Everything as seen from the torso: neither its place nor where it faces matters.
  void observe(const mjData& data, float* observation) const override {
    const mjtNum* axes = data.xmat + 9 * torso_;
    mjtNum velocity[3];
    mju_mulMatTVec3(velocity, axes, data.qvel);
    *observation++ = static_cast<float>(data.xpos[3 * torso_ + 2]);
    for (int i = 6; i < 9; ++i) *observation++ = static_cast<float>(axes[i]);  // the vertical
    for (const mjtNum each : velocity) *observation++ = static_cast<float>(each);
    for (int i = 3; i < 6; ++i) *observation++ = static_cast<float>(data.qvel[i]);
    for (const auto& each : joint_) *observation++ = static_cast<float>(data.qpos[each.qpos]);
    for (const auto& each : joint_) *observation++ = static_cast<float>(data.qvel[each.qvel]);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    if (ended(data)) return kFallen;
    return tolerance(data.xpos[3 * torso_ + 2], kStandHeight, kInfinity, 0.2) *
           upright(data, torso_) * small_control(model, data);
  }
  bool ended(const mjData& data) const override {
    return data.xpos[3 * torso_ + 2] < kFallHeight || upright(data, torso_) < kFallUpright;
  }

  static TaskEntry entry(const std::string& name, const std::string& summary) {
    return {{.name = name,
             .summary = summary,
             .source = "the paper's; reward ours",
             .observation_size = 10 + 6 * kLegs,
             .action_size = 3 * kLegs,
             .action_repeat = 2,
             .control_dt = 0.02,
             .least_reward = kFallen,
             .can_end = true},
            "",
            1000,
            make_task<Hyq>};
  }

 private:
  // Once in every window of 2 s, at a random moment, for 0.1 s: a horizontal force on the torso in
  // a random direction, of 2 to 6 N s (0.25 to 0.75 m/s).
  void kick(mjData& data) const {
    const double time = data.time + 1e-9;  // sums of steps fall short of round numbers
    const double window = std::floor(time / kKickEvery);
    base::Stream stream(static_cast<std::uint32_t>(data.userdata[0]), base::Purpose::kDisturbance,
                        static_cast<std::uint32_t>(data.userdata[1]),
                        static_cast<std::uint64_t>(window));
    const double begin = kKickEvery * window + stream.uniform(0, kKickEvery - kKickSeconds);
    const double direction = stream.uniform(0, 2 * std::numbers::pi);
    const double force = stream.uniform(2, 6) / kKickSeconds;
    const bool now = time >= begin && time < begin + kKickSeconds;
    mjtNum* applied = data.xfrc_applied + 6 * torso_;
    applied[0] = now ? force * std::cos(direction) : 0;
    applied[1] = now ? force * std::sin(direction) : 0;
  }

  int torso_ = 0, root_ = 0;  // root_: where the free joint begins in qpos; in qvel at 0
  std::array<JointAddress, static_cast<std::size_t>(3 * kLegs)> joint_ = {};
};

}  // namespace

std::vector<TaskEntry> hyq_tasks() {
  return {
      Hyq<Kicks::kNone>::entry("hyq", "keep standing on four legs; a fall ends it with -1"),
      Hyq<Kicks::kRandom>::entry("hyqKick", "the same, kicked every 2 s; a fall ends it with -1")};
}

}  // namespace tenfold::env
