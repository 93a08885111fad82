// Can the object be gripped and brought to the target at all? A script that reads the state does
// it: go above the object, down, close, lift. Joints are held by proportional-derivative control on
// top of the arm's own weight and inertia (qfrc_bias).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "env_scene.hpp"

namespace tenfold::env {
namespace {

constexpr double kLink = 0.25, kShoulder = 0.5, kWristToGrasp = 0.085;

struct Goal {
  double x, z;     ///< of the grasp point, hand down
  double fingers;  ///< -1 open, 1 closed
};

class Script {
 public:
  Script(const std::string& task, double object_x, double object_z)
      : scene_(gripper_tasks(), task) {
    scene_.joint("object_x", object_x);
    scene_.joint("object_z", object_z);
    const std::array<double, 3> start = angles({object_x, 0.16, -1});
    for (std::size_t i = 0; i < 3; ++i) scene_.joint(kNames[i], start[i]);
    scene_.joint("left_finger", -0.3);
    scene_.joint("right_finger", -0.3);
    scene_.overlap();  // bring forces up to date
  }

  /// Rewards of ten seconds, one a simulation step.
  std::vector<double> play(double target_x, double target_z) {
    scene_.target(target_x, 0, target_z);
    std::vector<double> rewards;
    double held = 0;
    for (int step = 0; step < 2000; ++step) {
      const double time = scene_.data().time;
      const double x = scene_.data().qpos[joint_address(scene_.model(), "object_x").qpos];
      if (time < 2) held = x;
      const double lifted = std::clamp((time - 3) / 2, 0.0, 1.0);
      Goal goal = {held, 0.16 - 0.12 * std::clamp(time - 1, 0.0, 1.0), time < 2 ? -1.0 : 1.0};
      goal.x += lifted * (target_x - held);
      goal.z += lifted * (target_z - 0.04);
      hold(goal);
      mj_step(&scene_.model(), &scene_.data());
      rewards.push_back(scene_.reward());
    }
    return rewards;
  }

 private:
  // Two equal links from the shoulder to the wrist, the hand straight down.
  static std::array<double, 3> angles(const Goal& goal) {
    const double x = goal.x, z = goal.z + kWristToGrasp - kShoulder;
    const double inner = std::acos(std::min(1.0, std::hypot(x, z) / 2 / kLink));
    const double shoulder = std::atan2(x, -z) + inner;
    return {shoulder, -2 * inner, 2 * inner - shoulder};
  }
  void hold(const Goal& goal) {
    mjData& data = scene_.data();
    const std::array<double, 3> wanted = angles(goal);
    constexpr double kGains[] = {60, 40, 8};
    for (std::size_t i = 0; i < 3; ++i) {
      const JointAddress at = joint_address(scene_.model(), kNames[i]);
      const int motor = object_id(scene_.model(), mjOBJ_ACTUATOR, kNames[i]);
      const double torque =
          kGains[i] * (wanted[i] - data.qpos[at.qpos] - 0.08 * data.qvel[at.qvel]) +
          data.qfrc_bias[at.qvel];
      data.ctrl[motor] = std::clamp(torque / scene_.model().actuator_gear[6 * motor], -1.0, 1.0);
    }
    for (const char* finger : {"left_finger", "right_finger"}) {
      data.ctrl[object_id(scene_.model(), mjOBJ_ACTUATOR, finger)] = goal.fingers;
    }
  }

  static constexpr const char* kNames[] = {"shoulder", "elbow", "wrist"};
  NamedScene scene_;
};

// Gripped and at the target the reward is all but the price of the motors, 0.2 at most.
void expect_brought(const std::vector<double>& rewards) {
  EXPECT_LT(rewards.front(), 0.45);
  EXPECT_GT(*std::min_element(rewards.end() - 600, rewards.end()), 0.85) << "the last 3 seconds";
}

TEST(Grasp, ABallIsLiftedToTheTarget) {
  expect_brought(Script("gripper", 0.27, 0.03).play(0.2, 0.4));
  expect_brought(Script("gripperRandom", -0.2, 0.03).play(0.3, 0.3));
}

TEST(Grasp, ABlockIsLiftedToTheTarget) {
  expect_brought(Script("blockworld1", 0.2, 0.028).play(-0.1, 0.3));
}

}  // namespace
}  // namespace tenfold::env
