// Runners, hoppers, walkers and the quadruped: rewards of states set by hand, falls, kicks, starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <numbers>
#include <set>

#include "env/tasks/locomotion.hpp"
#include "env_play.hpp"
#include "env_scene.hpp"

namespace tenfold::env {
namespace {

using std::numbers::pi;

// Far above the ground unless the test says otherwise, so that there is no contact. Only the root
// moves, so the centre of mass has its velocity.
class Placed {
 public:
  explicit Placed(const std::string& name) : scene_(locomotion_tasks(), name) {}
  Placed& root(double z, double pitch, double velocity = 0) {
    scene_.joint("root_x", 3, velocity);
    scene_.joint("root_z", z);
    scene_.joint("root_y", pitch);
    return *this;
  }
  Placed& control(double value) {
    scene_.control(value);
    return *this;
  }
  double reward() { return scene_.reward(); }
  NamedScene& scene() { return scene_; }

 private:
  NamedScene scene_;
};

TEST(Cheetah, Rewards) {
  Placed run("cheetah_run"), paper("cheetah"), hard("hardCheetah"), nice("hardCheetahNice");
  EXPECT_NEAR(run.root(5, 0, 3).reward(), 0.3, 1e-12);
  EXPECT_NEAR(run.root(5, 0, 12).reward(), 1, 1e-12);
  EXPECT_NEAR(run.root(5, 0, -1).reward(), 0, 1e-12);
  for (Placed* each : {&paper, &hard}) {
    EXPECT_NEAR(each->root(5, 0, 3).control(0).reward(), 0.3, 1e-12);
    EXPECT_NEAR(each->root(5, 0, 25).control(-0.5).reward(), 1 - 0.0125, 1e-12);
    EXPECT_NEAR(each->root(5, 0, -25).control(1).reward(), -1.05, 1e-12);
  }
  EXPECT_NEAR(nice.root(5, 0, 3).control(0).reward(), 0.4, 1e-12);
  // 0.5 m below where a standing one has its torso, hanging over nothing.
  nice.scene().model().geom_contype[0] = nice.scene().model().geom_conaffinity[0] = 0;
  EXPECT_NEAR(nice.root(-0.5, 0, 3).reward(), 0.3 + 0.1 * 0.1, 1e-12);
}

TEST(Cheetah, Models) {
  const ModelPointer easy = load_model(base::data_file("mjcf/cheetah.xml"));
  const ModelPointer hard = load_model(base::data_file("mjcf/hard_cheetah.xml"));
  const double springs[] = {240, 180, 120, 180, 120, 60}, gears[] = {120, 90, 60, 90, 60, 30};
  for (const mjModel* model : {easy.get(), hard.get()}) {
    EXPECT_NEAR(model->body_subtreemass[0], 14, 1e-4);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(model->actuator_gear[6 * i], gears[i]);
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(easy->dof_damping[i] + hard->dof_damping[i], 0) << "root";
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(easy->jnt_stiffness[3 + i], springs[i]);
    EXPECT_EQ(hard->jnt_stiffness[3 + i], 0);
    EXPECT_GT(easy->dof_damping[3 + i], 0);
    EXPECT_EQ(hard->dof_damping[3 + i], easy->dof_damping[3 + i] / 4);
  }
}

// Straight, the torso is 0.9 m above the foot; with the knee at 2a and all upright 0.25 + 0.65 cos
// a.
TEST(Hopper, Rewards) {
  Placed stand("hopper_stand"), hop("hopper_hop"), paper("hopper");
  const double limit = std::acos(0.35 / 0.65);  // 0.6 m
  for (Placed* each : {&stand, &hop, &paper}) {
    const auto bent = [&](double a) {
      each->scene().joint("hip", -a);
      each->scene().joint("knee", 2 * a);
      each->scene().joint("ankle", -a);
      return each->root(5, 0, 2).control(0).reward();
    };
    EXPECT_EQ(bent(0), 1);
    EXPECT_EQ(bent(limit - 0.01), 1);
    EXPECT_EQ(bent(limit + 0.01), 0);
    bent(0);
  }
  EXPECT_NEAR(stand.root(5, 0, -2).control(1).reward(), 0.8, 1e-12);
  EXPECT_NEAR(paper.root(5, 0, -2).control(1).reward(), 0.8, 1e-12);
  EXPECT_NEAR(hop.root(5, 0, 1.5).control(1).reward(), 0.75, 1e-12);
  EXPECT_NEAR(hop.root(5, 0, 1).reward(), 0.5, 1e-12);
  EXPECT_EQ(hop.root(5, 0, 0).reward(), 0);
  EXPECT_EQ(paper.root(0.451 - 0.94, pi).reward(), 0) << "head down, but not yet fallen";
  EXPECT_EQ(paper.root(0.449 - 0.94, pi).reward(), -1);
  EXPECT_EQ(stand.root(0.449 - 0.94, pi).reward(), 0) << "dm_control's knows no fall";
}

TEST(Walker, Rewards) {
  Placed stand("walker_stand"), walk("walker_walk"), run("walker_run");
  for (Placed* each : {&stand, &walk, &run}) {
    EXPECT_NEAR(each->root(5, 0, 8).reward(), 1, 1e-12);
    each->scene().model().geom_contype[0] = each->scene().model().geom_conaffinity[0] = 0;
  }
  EXPECT_NEAR(stand.root(0.6 - 1.3, pi / 2).reward(), (3 * 0.1 + 0.5) / 4, 1e-12);
  EXPECT_NEAR(stand.root(5, pi).reward(), 0.75, 1e-12);
  EXPECT_NEAR(walk.root(5, 0, 0.5).reward(), 3.5 / 6, 1e-12);
  EXPECT_NEAR(walk.root(5, pi / 2, 0).reward(), 0.875 / 6, 1e-12);
  EXPECT_NEAR(run.root(5, 0, 4).reward(), 3.5 / 6, 1e-12);
  EXPECT_NEAR(run.root(5, 0, 2).reward(), 2.25 / 6, 1e-12);
}

TEST(Walker, RewardOfThePaper) {
  Placed walker("walker2d");
  walker.scene().model().geom_contype[0] = walker.scene().model().geom_conaffinity[0] = 0;
  EXPECT_NEAR(walker.root(0, 0.5, 1).control(0).reward(), 0.5 * std::cos(0.5), 1e-12);
  EXPECT_NEAR(walker.root(0, 0, 7).control(1).reward(), 1 - 0.05, 1e-12);
  EXPECT_NEAR(walker.root(0, 0, -7).control(0).reward(), -1, 1e-12);
  EXPECT_NEAR(walker.root(0.801 - 1.3, -0.999, 1).reward(), 0.5 * std::cos(0.999), 1e-12);
  for (const double pitch : {1.001, -1.001, pi}) EXPECT_EQ(walker.root(0, pitch, 1).reward(), -1);
  EXPECT_EQ(walker.root(0.799 - 1.3, 0, 1).reward(), -1);
}

TEST(Hyq, RewardAndFalls) {
  for (const char* name : {"hyq", "hyqKick"}) {
    NamedScene scene(locomotion_tasks(), name);
    const auto reward = [&](double height, double tilt, double control) {
      scene.data().qpos[2] = height;
      scene.data().qpos[3] = std::cos(tilt / 2);
      scene.data().qpos[4] = std::sin(tilt / 2);
      scene.control(control);
      return scene.reward();
    };
    EXPECT_NEAR(reward(0.59, 0, 0), 1, 1e-12);
    EXPECT_NEAR(reward(0.45, 0, 1), 0.8, 1e-12);
    EXPECT_NEAR(reward(0.35, 0.5, 0), std::pow(0.1, 0.25) * std::cos(0.5), 1e-12);
    EXPECT_EQ(reward(0.249, 0, 0), -1);
    EXPECT_GT(reward(0.251, 0, 0), 0);
    EXPECT_EQ(reward(0.59, 61 * pi / 180, 0), -1);
    EXPECT_GT(reward(0.59, 59 * pi / 180, 0), 0);
    EXPECT_NEAR(scene.model().body_subtreemass[0], 8, 1e-9);
  }
}

// At rest the ground carries the weight: flat or, with gravity tilted and friction, on a slope.
TEST(Impact, IsOneAtRestNoneInTheAirAndManyOnLanding) {
  const auto path = std::filesystem::path(testing::TempDir()) / "tenfold_env_impact.xml";
  for (const char* gravity : {"0 0 -9.81", "3 0 -9.81", "0 -2 -5"}) {
    std::ofstream(path) << "<mujoco><option timestep='0.002' gravity='" << gravity
                        << "'/><worldbody><geom type='plane' size='9 9 1'/><body pos='0 0 0.1'>"
                           "<freejoint/><geom type='box' size='0.3 0.3 0.1' mass='2'/></body>"
                           "<body pos='1 0 0.1'><freejoint/><geom type='box' size='0.2 0.2 0.1' "
                           "mass='5'/></body></worldbody></mujoco>";
    const ModelPointer model = load_model(path);
    const std::unique_ptr<mjData, decltype(&mj_deleteData)> data(mj_makeData(model.get()),
                                                                 mj_deleteData);
    for (int k = 0; k < 2000; ++k) mj_step(model.get(), data.get());
    mj_forward(model.get(), data.get());
    EXPECT_NEAR(impact(*model, *data), 1, 0.02) << gravity;
    data->qpos[2] = data->qpos[9] = 1;
    mj_forward(model.get(), data.get());
    EXPECT_EQ(impact(*model, *data), 0);
    data->qpos[2] = data->qpos[9] = 0.0999;
    data->qvel[2] = data->qvel[8] = -3;
    mj_forward(model.get(), data.get());
    EXPECT_GT(impact(*model, *data), 10);
  }
}

TEST(Impact, CostsAThousandthOfAWeightAndAtMostAHundredth) {
  NamedScene scene(locomotion_tasks(), "cheetah");
  scene.start(3);  // comes to rest by itself
  scene.control(0);
  const auto cost = [&] {
    const double reward = scene.reward();
    return std::clamp(scene.data().sensordata[0] / 10, -1.0, 1.0) - reward;
  };
  const double standing = cost();
  EXPECT_NEAR(standing, 1e-3 * impact(scene.model(), scene.data()), 1e-15);
  EXPECT_NEAR(standing, 1e-3, 3e-4);
  scene.data().qvel[1] = -10;
  EXPECT_NEAR(cost(), 1e-2, 1e-12);
  EXPECT_GT(impact(scene.model(), scene.data()), 10);
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const TaskEntry& entry : locomotion_tasks()) all.push_back(entry.spec.name);
  return all;
}

class Locomotion : public testing::TestWithParam<std::string> {};

TEST_P(Locomotion, StartsOutsideTheGroundAndNotFallen) {
  const bool settled = GetParam().find("heetah") != std::string::npos;
  NamedScene scene(locomotion_tasks(), GetParam());
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    scene.start(seed);
    EXPECT_LT(scene.overlap(), settled ? 0.02 : 1e-12) << "seed " << seed;
    EXPECT_GT(scene.reward(), -0.5) << "seed " << seed;
    for (int i = 0; i < scene.model().nv; ++i) {
      EXPECT_LT(std::abs(scene.data().qvel[i]), 2) << "seed " << seed << ", dof " << i;
    }
    EXPECT_EQ(scene.data().time, 0);
  }
}

// The place along the ground (and a free body's bearing) changes nothing.
TEST_P(Locomotion, IsTheSameElsewhere) {
  const auto here = make_env(GetParam(), 1), there = make_env(GetParam(), 1);
  start_all(*here, 5);
  start_all(*there, 6);
  std::vector<double> state = state_of(*here, 0);
  state[1] += 7;
  if (GetParam().rfind("hyq", 0) == 0) {  // to the side, and turned by half a turn about z
    state[2] -= 4;
    const double w = state[4], x = state[5], y = state[6], z = state[7];
    state[4] = -z;
    state[5] = -y;
    state[6] = x;
    state[7] = w;
    const std::size_t velocity = 1 + 19;
    state[velocity] *= -1;
    state[velocity + 1] *= -1;
  }
  there->load(0, state);
  for (std::uint64_t decision = 0; decision < 4; ++decision) {
    for (std::size_t i = 0; i < here->observations().size(); ++i) {
      ASSERT_NEAR(here->observations()[i], there->observations()[i], 2e-3) << "number " << i;
    }
    ASSERT_NEAR(here->rewards()[0], there->rewards()[0], 1e-3);
    if (here->terminal()[0] != 0) break;
    here->step(random_actions(*here, 5, decision));
    there->step(random_actions(*here, 5, decision));
  }
}

TEST_P(Locomotion, AFallIsTerminalWithMinusOneWhateverTheRepeat) {
  const bool can_end = make_env(GetParam(), 1)->spec().can_end;
  for (const std::int64_t repeat : {1, 2, 3, 7}) {
    const auto env =
        make_env(GetParam(), 1, {.horizon = can_end ? 300 : 20, .action_repeat = repeat});
    start_all(*env, 2);
    const std::vector<float> limp(env->spec().action_size, 0.0F);
    while (env->terminal()[0] == 0 && env->truncated()[0] == 0) env->step(limp);
    ASSERT_EQ(env->terminal()[0] != 0, can_end) << "limp, it falls";
    if (can_end) {
      EXPECT_EQ(env->rewards()[0], -1) << "repeat " << repeat;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, Locomotion, testing::ValuesIn(names()),
                         [](const auto& each) { return each.param; });

// dim(s) and dim(a) of the paper's table 2.
TEST(LocomotionTable, PapersDimensions) {
  const std::map<std::string, std::pair<int, std::size_t>> paper = {
      {"cheetah", {18, 6}}, {"hardCheetah", {18, 6}}, {"hardCheetahNice", {18, 6}},
      {"hopper", {14, 4}},  {"walker2d", {18, 6}},    {"hyq", {37, 12}},
      {"hyqKick", {37, 12}}};
  for (const auto& [name, sizes] : paper) {
    const ModelPointer model = load_model(base::data_file("mjcf/" + model_file(name)));
    EXPECT_EQ(model->nq + model->nv, sizes.first) << name;
    EXPECT_EQ(make_env(name, 1)->spec().action_size, sizes.second) << name;
  }
}

// Horizontal forces on the torso in a saved state of hyq or hyqKick.
class Forces {
 public:
  Forces() : scene_(locomotion_tasks(), "hyq") {}
  void read(const BatchEnv& env, std::size_t row) {
    const std::vector<double> state = state_of(env, row);
    mj_setState(&scene_.model(), &scene_.data(), state.data(), mjSTATE_INTEGRATION);
  }
  double x() { return scene_.data().xfrc_applied[6]; }
  double y() { return scene_.data().xfrc_applied[7]; }
  double size() { return std::hypot(x(), y()); }
  mjModel& model() { return scene_.model(); }
  mjData& data() { return scene_.data(); }

 private:
  NamedScene scene_;
};

TEST(HyqKick, OneKickInEveryTwoSeconds) {
  const auto env =
      make_env("hyqKick", 2, {.horizon = 2000, .action_repeat = 1, .terminate_on_fall = false});
  start_all(*env, 4);
  Forces forces;
  const std::vector<float> limp(24, 0.0F);
  std::set<double> directions;
  for (int window = 0; window < 20; ++window) {
    double seconds[2] = {}, impulse[2] = {};
    for (int step = 0; step < 100; ++step) {
      for (std::size_t row = 0; row < 2; ++row) {
        forces.read(*env, row);
        if (forces.size() == 0) continue;
        seconds[row] += 0.02;
        impulse[row] += 0.02 * forces.size();
        directions.insert(std::atan2(forces.y(), forces.x()));
      }
      env->step(limp);
    }
    for (const int row : {0, 1}) {
      EXPECT_NEAR(seconds[row], 0.1, 0.021) << "window " << window;
      EXPECT_GT(impulse[row], 2 * seconds[row] / 0.1 - 1e-9);
      EXPECT_LT(impulse[row], 6 * seconds[row] / 0.1 + 1e-9);
    }
  }
  EXPECT_GE(directions.size(), 40U) << "each its own, in each row";
  EXPECT_LT(*directions.begin(), -2);
  EXPECT_GT(*directions.rbegin(), 2);
}

TEST(HyqKick, TheOtherIsNotKicked) {
  const auto env = make_env("hyq", 1, {.horizon = 200, .terminate_on_fall = false});
  start_all(*env, 4);
  Forces forces;
  for (int step = 0; step < 200; ++step) {
    env->step(std::vector<float>(12, 0.0F));
    forces.read(*env, 0);
    ASSERT_EQ(forces.size(), 0);
  }
}

// Falling from 60 m nothing else pushes sideways: momentum is the sum of the forces.
TEST(HyqKick, PushesTheBody) {
  const auto env = make_env("hyqKick", 1, {.horizon = 200, .action_repeat = 1});
  start_all(*env, 4);
  std::vector<double> state = state_of(*env, 0);
  state[3] = 60;
  env->load(0, state);
  Forces forces;
  double x = 0, y = 0;
  for (int step = 0; step < 100; ++step) {
    forces.read(*env, 0);
    x += 0.02 * forces.x();
    y += 0.02 * forces.y();
    env->step(std::vector<float>(12, 0.0F));
  }
  forces.read(*env, 0);
  mj_forward(&forces.model(), &forces.data());
  mj_subtreeVel(&forces.model(), &forces.data());
  EXPECT_GT(std::hypot(x, y), 1.5);
  EXPECT_NEAR(8 * forces.data().subtree_linvel[0], x, 0.02);
  EXPECT_NEAR(8 * forces.data().subtree_linvel[1], y, 0.02);
}

// Saved before, in and after a kick.
TEST(HyqKick, SavedAnywhereItGoesOnBitForBit) {
  const EnvOptions options = {.horizon = 400, .action_repeat = 1, .terminate_on_fall = false};
  const auto env = make_env("hyqKick", 1, options), restored = make_env("hyqKick", 1, options);
  start_all(*env, 4);
  Forces forces;
  int kicked = 0;
  for (std::uint64_t decision = 0; decision < 300; ++decision) {
    restored->load(0, state_of(*env, 0));
    forces.read(*env, 0);
    kicked += forces.size() > 0 ? 1 : 0;
    for (BatchEnv* each : {env.get(), restored.get()}) {
      each->step(random_actions(*env, 6, decision));
    }
    ASSERT_EQ(state_of(*restored, 0), state_of(*env, 0)) << "decision " << decision;
  }
  EXPECT_NEAR(kicked, 15, 3);
}

}  // namespace
}  // namespace tenfold::env
