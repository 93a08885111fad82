// The models against textbook mechanics.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/file.hpp"
#include "env/mujoco_model.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

using std::numbers::pi;

// A sphere of 1 kg and 5 cm radius, 0.5 m from the hinge.
constexpr double kWeight = 1 * 9.81 * 0.5;
constexpr double kInertia = 1 * 0.5 * 0.5 + 0.4 * 1 * 0.05 * 0.05;

struct Deleter {
  void operator()(mjData* data) const { mj_deleteData(data); }
};
struct Simulation {
  ModelPointer model;
  std::unique_ptr<mjData, Deleter> data;
};

Simulation undamped_pendulum(double angle) {
  Simulation made{load_model(base::data_file("mjcf/pendulum.xml")), nullptr};
  made.model->opt.integrator = mjINT_RK4;
  made.model->dof_damping[0] = 0;
  made.data.reset(mj_makeData(made.model.get()));
  made.data->qpos[0] = angle;
  return made;
}

double energy(const mjData& data) {
  return kWeight * std::cos(data.qpos[0]) + 0.5 * kInertia * data.qvel[0] * data.qvel[0];
}

TEST(Physics, UndampedPendulumKeepsItsEnergy) {
  const Simulation pendulum = undamped_pendulum(1.0);
  const double before = energy(*pendulum.data);
  double fastest = 0;
  for (int k = 0; k < 1000; ++k) {
    mj_step(pendulum.model.get(), pendulum.data.get());
    fastest = std::max(fastest, std::abs(pendulum.data->qvel[0]));
    ASSERT_NEAR(energy(*pendulum.data), before, 1e-3) << "step " << k;
  }
  // Through the lowest point, where all the height has become speed.
  EXPECT_NEAR(fastest, std::sqrt(2 * kWeight * (1 + std::cos(1.0)) / kInertia), 0.02);
}

TEST(Physics, SmallOscillationsHaveTheTextbookPeriod) {
  const Simulation pendulum = undamped_pendulum(pi + 0.01);
  std::vector<double> crossings;
  double last = 0.01, last_time = 0;
  while (crossings.size() < 11) {
    mj_step(pendulum.model.get(), pendulum.data.get());
    const double now = pendulum.data->qpos[0] - pi;
    if (last > 0 && now <= 0) {
      crossings.push_back(last_time + pendulum.model->opt.timestep * last / (last - now));
    }
    last = now;
    last_time = pendulum.data->time;
    ASSERT_LT(last_time, 60);
  }
  const double expected = 2 * pi * std::sqrt(kInertia / kWeight);
  EXPECT_NEAR((crossings.back() - crossings.front()) / 10, expected, 0.005 * expected);
}

// Loads a state given by its positions and velocities into row 0.
void place(BatchEnv& env, const std::vector<double>& qpos, const std::vector<double>& qvel) {
  base::Stream stream(1, base::Purpose::kTest, 0, 0);
  env.reset(0, stream);
  std::vector<double> state = state_of(env, 0);
  std::copy(qpos.begin(), qpos.end(), state.begin() + 1);  // state[0] is the time
  std::copy(qvel.begin(), qvel.end(), state.begin() + 1 + static_cast<std::ptrdiff_t>(qpos.size()));
  env.load(0, state);
}

void hold(BatchEnv& env, std::vector<float> action, int decisions) {
  for (int k = 0; k < decisions; ++k) env.step(action);
}

TEST(Physics, HangingPendulumStays) {
  const auto env = make_env("pendulum", 1);
  place(*env, {pi}, {0});
  hold(*env, {0}, 500);
  EXPECT_NEAR(env->observations()[0], -1, 1e-6);
  EXPECT_NEAR(env->observations()[1], 0, 1e-6);
  EXPECT_NEAR(env->observations()[2], 0, 1e-6);
}

// The motor holds the pendulum where its torque equals the weight's: sin(angle) = 1 / 4.905.
TEST(Physics, PendulumMotorIsTooWeakToLift) {
  const auto env = make_env("pendulum", 1, {.horizon = 3000});
  place(*env, {pi}, {0});
  hold(*env, {1}, 2500);  // 100 s: oscillations fall by 1/e in 5 s
  // A positive torque increases the angle past pi, where its sine is negative.
  EXPECT_NEAR(env->observations()[1], -1 / kWeight, 1e-5);
  EXPECT_NEAR(env->observations()[0], -std::sqrt(1 - 1 / (kWeight * kWeight)), 1e-5);
}

TEST(Physics, CartIsPushedWithTenNewton) {
  const auto env = make_env("cart", 1);
  place(*env, {0}, {0});
  hold(*env, {1}, 10);  // 0.2 s at 10 m/s^2
  EXPECT_NEAR(env->observations()[1], 2.0, 1e-3);
  EXPECT_NEAR(env->observations()[0], 0.2, 1e-3);
}

// Upright and at rest, for small angles: (M + m) x'' + m l w' = F and m l x'' + (I + m l^2) w' = 0
// with the inertia I of a capsule (a cylinder and two half spheres) about its middle.
TEST(Physics, CartpoleAcceleratesAsTheTextbookSays) {
  const auto env = make_env("cartpole_balance", 1, {.action_repeat = 1});
  place(*env, {0, 0}, {0, 0});
  hold(*env, {1}, 1);
  const double cart = 1, pole = 0.1, length = 1, radius = 0.045, half = length / 2, force = 10;
  const double ends = pole * (4 * radius / 3) / (length + 4 * radius / 3), middle = pole - ends;
  const double inertia = middle * (length * length / 12 + radius * radius / 4) +
                         ends * (0.4 * radius * radius + half * half + 3 * length * radius / 8);
  const double about_hinge = inertia + pole * half * half;
  const double linear = force / (cart + pole - pole * half * pole * half / about_hinge);
  const double angular = -pole * half * linear / about_hinge;
  EXPECT_NEAR(env->observations()[3] / 0.01, linear, 0.005 * linear);
  EXPECT_NEAR(env->observations()[4] / 0.01, angular, 0.005 * std::abs(angular));
}

TEST(Physics, PointMassReachesTheSpeedOfItsDamping) {
  const auto env = make_env("point_mass", 1);
  place(*env, {-0.2, 0.1}, {0, 0});
  hold(*env, {1, -1}, 25);  // 1 s of 0.1 N against 1 N s/m on 0.3 kg
  const double expected = 0.1 * (1 - std::exp(-1 / 0.3));
  EXPECT_NEAR(env->observations()[2], expected, 0.002);
  EXPECT_NEAR(env->observations()[3], -expected, 0.002);
}

TEST(Physics, ArmsReachTheSpeedOfTheirDamping) {
  const auto one = make_env("fixedReacherSingle", 1);
  place(*one, {0}, {0});
  hold(*one, {-1}, 100);
  EXPECT_NEAR(one->observations()[4], -5, 1e-3);  // 0.05 N m against 0.01 N m s
}

}  // namespace
}  // namespace tenfold::env
