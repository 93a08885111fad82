// Rewards of poles, arms and manipulators in states set by hand, against numbers worked out on
// paper.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "env/tasks/parts.hpp"
#include "env_scene.hpp"

namespace tenfold::env {
namespace {

using std::numbers::pi;

// Half of 0.1 to the square of the distance beyond the radius, in margins.
double half_gaussian(double beyond, double margin) {
  return 0.5 * std::pow(0.1, std::pow(beyond / margin, 2));
}

TEST(ArmsReward, NearIsHalfSmoothHalfBonus) {
  EXPECT_DOUBLE_EQ(near_goal(0, 0.02, 0.24), 1);
  EXPECT_DOUBLE_EQ(near_goal(0.02, 0.02, 0.24), 1);
  EXPECT_NEAR(near_goal(0.02 + 1e-9, 0.02, 0.24), 0.5, 1e-9);
  EXPECT_NEAR(near_goal(0.26, 0.02, 0.24), 0.05, 1e-12);
  EXPECT_NEAR(near_goal(0.14, 0.02, 0.24), 0.5 * 0.5623413252, 1e-10);
}

TEST(ArmsReward, ParallelPolesCountOneByOne) {
  NamedScene scene(cartpole_poles_tasks(), "cartpoleParallelTriple");
  EXPECT_DOUBLE_EQ(scene.reward(), 1);
  scene.joint("hinge_2", pi);
  EXPECT_NEAR(scene.reward(), 2.0 / 3, 1e-12);
  scene.joint("hinge_3", pi / 2, -5);
  EXPECT_NEAR(scene.reward(), 0.5 * 0.55, 1e-12);
  scene.joint("slider", 2);
  scene.control(1);
  EXPECT_NEAR(scene.reward(), 0.5 * 0.55 * 0.55 * 0.8, 1e-12);
}

TEST(ArmsReward, ChainedPolesCountFromTheUpright) {
  NamedScene scene(cartpole_poles_tasks(), "cartpoleSerialDouble");
  scene.joint("hinge_1", pi);
  EXPECT_NEAR(scene.reward(), 0, 1e-15) << "both hang";
  scene.joint("hinge_2", pi);
  EXPECT_NEAR(scene.reward(), 0.5, 1e-12) << "the second is upright on the hanging first";
  scene.joint("hinge_1", 0);
  scene.joint("hinge_2", 0, 5);
  EXPECT_NEAR(scene.reward(), 0.55, 1e-12);
}

TEST(ArmsReward, AcrobotMeasuresFromTheTipToTheTarget) {
  NamedScene dense(acrobot_tasks(), "acrobot_swingup"),
      sparse(acrobot_tasks(), "acrobot_swingup_sparse");
  EXPECT_DOUBLE_EQ(dense.reward(), 1);
  EXPECT_DOUBLE_EQ(sparse.reward(), 1);
  // An elbow of 90 degrees puts the tip a meter below and a meter beside the target.
  for (NamedScene* scene : {&dense, &sparse}) scene->joint("elbow", pi / 2);
  EXPECT_NEAR(dense.reward(), std::pow(0.1, std::pow(std::sqrt(2) - 0.2, 2)), 1e-12);
  EXPECT_EQ(sparse.reward(), 0);
  for (NamedScene* scene : {&dense, &sparse}) scene->joint("elbow", 0.19);  // chord of 0.1897 m
  EXPECT_DOUBLE_EQ(dense.reward(), 1);
  EXPECT_EQ(sparse.reward(), 1);
}

TEST(ArmsReward, BallCountsInsideTheCupAlone) {
  NamedScene scene(ball_in_cup_tasks(), "ball_in_cup_catch");
  scene.joint("ball_z", 0.034);
  EXPECT_EQ(scene.reward(), 1) << "on the bottom";
  scene.joint("ball_z", 0.071);
  EXPECT_EQ(scene.reward(), 0) << "over the rim";
  scene.joint("cup_z", 0.03);
  EXPECT_EQ(scene.reward(), 1) << "the cup is moved up";
  scene.joint("ball_x", -0.021);
  EXPECT_EQ(scene.reward(), 0);
  scene.joint("ball_x", -0.019);
  EXPECT_EQ(scene.reward(), 1);
}

TEST(ArmsReward, Finger) {
  NamedScene spin(finger_tasks(), "finger_spin");
  spin.joint("hinge", 1, -15);
  EXPECT_EQ(spin.reward(), 1);
  spin.joint("hinge", 1, -14.99);
  EXPECT_EQ(spin.reward(), 0);
  spin.joint("hinge", 1, 20);
  EXPECT_EQ(spin.reward(), 0);
  // The tip of the spinner at 0 is at (0.2, 0.53).
  NamedScene easy(finger_tasks(), "finger_turn_easy"), hard(finger_tasks(), "finger_turn_hard");
  for (NamedScene* scene : {&easy, &hard}) scene->target(0.269, 0, 0.53);
  EXPECT_EQ(easy.reward(), 1);
  EXPECT_EQ(hard.reward(), 0);
  for (NamedScene* scene : {&easy, &hard}) scene->target(0.2, 0, 0.501);
  EXPECT_EQ(hard.reward(), 1);
  // Turned by 90 degrees the other way round the y axis, the tip is at (0.07, 0.4).
  for (NamedScene* scene : {&easy, &hard}) {
    scene->joint("hinge", pi / 2);
    scene->target(0.07, 0, 0.4);
  }
  EXPECT_EQ(hard.reward(), 1);
  for (NamedScene* scene : {&easy, &hard}) scene->target(0.33, 0, 0.4);
  EXPECT_EQ(easy.reward(), 0);
}

TEST(ArmsReward, PlanarReachers) {
  NamedScene one(reacher_tasks(), "reacherSingle"), three(reacher_tasks(), "reacher");
  one.target(0, 0.12, 0);
  EXPECT_NEAR(one.reward(), half_gaussian(0.12 * std::sqrt(2) - 0.02, 0.12), 1e-12);
  one.joint("shoulder", pi / 2);
  EXPECT_DOUBLE_EQ(one.reward(), 1);
  // Shoulder and elbow up, wrist back: the finger at (0.08, 0.08).
  three.joint("elbow", pi / 2);
  three.joint("wrist", -pi / 2);
  three.target(0.16, 0.08, 0);
  EXPECT_DOUBLE_EQ(three.reward(), 1);
  three.target(0.16, 0.2, 0);
  three.control(0.5);
  EXPECT_NEAR(three.reward(), half_gaussian(0.1, 0.24) * (4 + 0.75) / 5, 1e-12);
}

TEST(ArmsReward, TouchingThePostCostsAHalf) {
  NamedScene scene(reacher_obstacle_tasks(), "reacherObstacle");
  scene.target(0.3, 0, 0);
  scene.target(0, 0.1, 0, "obstacle");
  EXPECT_DOUBLE_EQ(scene.reward(), 1) << "stretched to the target";
  scene.target(0.15, 0.0275, 0, "obstacle");
  EXPECT_DOUBLE_EQ(scene.reward(), 0.5) << "the post (2 cm) touches the arm (0.8 cm)";
  scene.target(0.15, 0.0285, 0, "obstacle");
  EXPECT_DOUBLE_EQ(scene.reward(), 1);
}

TEST(ArmsReward, SpatialReacher) {
  NamedScene scene(reacher_3da_tasks(), "reacher3daRandomTarget");
  scene.target(0.75, 0, 1);
  EXPECT_DOUBLE_EQ(scene.reward(), 1) << "stretched along x";
  // Elbow down: 0.35 along x, 0.4 down.
  scene.joint("elbow", pi / 2);
  scene.target(0.35, 0, 0.5);
  EXPECT_NEAR(scene.reward(), half_gaussian(0.1 - 0.04, 0.75), 1e-12);
  // Shoulder a quarter to the left.
  scene.joint("shoulder_yaw", pi / 2);
  scene.target(0, 0.35, 0.6);
  EXPECT_DOUBLE_EQ(scene.reward(), 1);
}

// Straight down the grasp is 0.085 m below the wrist, 0.585 m below the shoulder at 0.5 m.
TEST(ArmsReward, GripperHasATermForEachHalfOfTheWay) {
  for (const char* name :
       {"gripper", "gripperRandom", "movingGripper", "movingGripperRandom", "blockworld1"}) {
    NamedScene scene(gripper_tasks(), name);
    scene.joint("shoulder", pi / 2);  // stretched along x
    scene.joint("object_x", 0.585);
    scene.joint("object_z", 0.5);
    scene.target(0.585, 0, 0.539);
    EXPECT_DOUBLE_EQ(scene.reward(), 1) << name;
    scene.target(0.585, 0, 0.84);
    EXPECT_NEAR(scene.reward(), 0.3 + 0.7 * half_gaussian(0.3, 0.6), 1e-12) << name;
    scene.joint("object_x", 0.185);
    scene.target(0.185, 0, 0.5);
    scene.control(-1);
    EXPECT_NEAR(scene.reward(), (0.3 * half_gaussian(0.37, 0.6) + 0.7) * 0.8, 1e-12) << name;
  }
}

TEST(ArmsReward, SpatialBlock) {
  NamedScene scene(blockworld_3da_tasks(), "blockworld3da");
  mjtNum* block = scene.data().qpos + 9;
  const double held[] = {0.74, 0, 0.4};  // 0.35 + 0.3 + 0.09 along x
  mju_copy3(block, held);
  scene.target(0.74, 0.03, 0.4);
  EXPECT_DOUBLE_EQ(scene.reward(), 1);
  block[1] = 0.33;
  EXPECT_NEAR(scene.reward(), 0.3 * half_gaussian(0.3, 0.77) + 0.7 * half_gaussian(0.26, 0.77),
              1e-12);
}

TEST(ArmsReward, PuckAndStick) {
  NamedScene flat(canada_tasks(), "canada2d"), space(canada_tasks(), "canada");
  flat.joint("puck_x", 0.85);  // 0.3 + 0.3 + 0.25
  flat.joint("puck_y", 0.05);
  flat.target(0.85, -0.5, 0);
  EXPECT_NEAR(flat.reward(), 0.2 + 0.8 * std::pow(0.1, 0.25), 1e-12);
  // Stretched at the height of 0.5 m the blade is 0.48 m above the puck.
  space.joint("puck_x", 1.05);
  space.target(1.05, 0.04, 0);
  EXPECT_NEAR(space.reward(), 0.2 * half_gaussian(0.43, 1.05) + 0.8, 1e-12);
}

std::vector<TaskEntry> every_family() {
  std::vector<TaskEntry> all;
  for (auto family : {ball_in_cup_tasks, finger_tasks, reacher_obstacle_tasks, gripper_tasks,
                      blockworld_3da_tasks, canada_tasks}) {
    for (TaskEntry& entry : family()) all.push_back(std::move(entry));
  }
  return all;
}

TEST(ArmsStart, NothingOverlaps) {
  for (const TaskEntry& entry : every_family()) {
    NamedScene scene(every_family(), entry.spec.name);
    for (std::uint32_t seed = 0; seed < 200; ++seed) {
      scene.start(seed);
      ASSERT_LT(scene.overlap(), 2e-6) << entry.spec.name << ", seed " << seed;
    }
  }
}

TEST(ArmsStart, TriesAHundredDrawsThenFallsBack) {
  NamedScene scene(gripper_tasks(), "gripper");
  scene.joint("object_z", 1);
  int draws = 0, fall_backs = 0;
  const auto draw = [&] { ++draws; };  // the arm hangs into the floor
  start_free(scene.model(), scene.data(), draw, [&] { ++fall_backs; });
  EXPECT_EQ(draws, 100);
  EXPECT_EQ(fall_backs, 1);
  const auto lift = [&] {
    if (++draws == 103) scene.joint("shoulder", pi / 2);
  };
  start_free(scene.model(), scene.data(), lift, [&] { ++fall_backs; });
  EXPECT_EQ(draws, 103);
  EXPECT_EQ(fall_backs, 1);
}

// The poses that the tasks fall back to, with the object at the worst place for them.
TEST(ArmsStart, ThePosesToFallBackToAreFree) {
  for (const char* name : {"gripperRandom", "movingGripperRandom"}) {
    NamedScene scene(gripper_tasks(), name);
    scene.joint("shoulder", 1.4);
    scene.joint("elbow", -1.3);
    scene.joint("wrist", -0.1);
    scene.joint("left_finger", -0.2);
    scene.joint("right_finger", -0.2);
    scene.joint("object_z", 0.03);
    for (double x = -0.6; x <= 0.6; x += 0.01) {
      scene.joint("object_x", x);
      ASSERT_LT(scene.overlap(), 2e-6) << name << ", ball at " << x;
    }
  }
  NamedScene finger(finger_tasks(), "finger_turn_easy");
  finger.joint("proximal", -1);
  for (double angle = -pi; angle <= pi; angle += 0.1) {
    finger.joint("hinge", angle);
    ASSERT_LT(finger.overlap(), 2e-6) << angle;
  }
  NamedScene flat(canada_tasks(), "canada2d"), space(canada_tasks(), "canada");
  flat.joint("elbow", 2.5);
  flat.joint("wrist", 2.0);
  space.joint("shoulder_pitch", -0.6);
  space.joint("elbow", 1.4);
  space.joint("wrist_pitch", -0.18);
  for (double angle = -pi; angle <= pi; angle += 0.1) {
    flat.joint("puck_x", 0.35 * std::cos(angle));
    flat.joint("puck_y", 0.35 * std::sin(angle));
    ASSERT_LT(flat.overlap(), 2e-6) << angle;
  }
  for (double x = 0.5; x <= 0.9; x += 0.01) {
    space.joint("puck_x", x);
    ASSERT_LT(space.overlap(), 2e-6) << x;
  }
  NamedScene ball(ball_in_cup_tasks(), "ball_in_cup_catch");
  ball.joint("ball_z", -0.25);
  EXPECT_LT(ball.overlap(), 2e-6);
}

TEST(ArmsStart, RandomTargetsOfTheSpatialReacherCanBeReached) {
  NamedScene scene(reacher_3da_tasks(), "reacher3daRandomTarget");
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    scene.start(seed);
    const double shoulder[] = {0, 0, 1};
    EXPECT_LE(distance_between(scene.data().mocap_pos, shoulder), 0.75 + 1e-9);
  }
}

}  // namespace
}  // namespace tenfold::env
