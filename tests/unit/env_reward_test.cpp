// Rewards of single states, set by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "env_scene.hpp"

namespace tenfold::env {
namespace {

// Placed by whole vectors instead of names.
class Scene : public NamedScene {
 public:
  using NamedScene::NamedScene;

  double reward(const std::vector<double>& qpos, const std::vector<double>& qvel,
                const std::vector<double>& ctrl) {
    std::copy(qpos.begin(), qpos.end(), data().qpos);
    std::copy(qvel.begin(), qvel.end(), data().qvel);
    std::copy(ctrl.begin(), ctrl.end(), data().ctrl);
    return NamedScene::reward();
  }
  void target(double x, double y) {
    data().mocap_pos[0] = x;
    data().mocap_pos[1] = y;
  }
};

// x, cos(angle), control, angular velocity -> reward (papers/ddpg.md, oracle 9).
TEST(Reward, CartpoleValuesOfTheTable) {
  for (const char* name : {"cartpole_balance", "cartpole_swingup"}) {
    Scene scene(cartpole_tasks(), name);
    const auto reward = [&](double x, double cosine, double u, double w) {
      return scene.reward({x, std::acos(cosine)}, {0, w}, {u});
    };
    EXPECT_DOUBLE_EQ(reward(0, 1, 0, 0), 1);
    EXPECT_NEAR(reward(1, 0, 0.5, 2.5), 0.2898581, 5e-8);
    EXPECT_NEAR(reward(0.5, -1, 1, 0), 0, 1e-15);
    EXPECT_NEAR(reward(1.2, 0.7, -0.3, -1.5), 0.5434230, 5e-8);
  }
}

TEST(Reward, SparseCartpoleHasBothBounds) {
  Scene scene(cartpole_tasks(), "cartpole_swingup_sparse");
  EXPECT_EQ(scene.reward({0.249, std::acos(0.9951)}, {3, 3}, {1}), 1);
  EXPECT_EQ(scene.reward({-0.251, 0}, {0, 0}, {0}), 0);
  EXPECT_EQ(scene.reward({0, std::acos(0.9949)}, {0, 0}, {0}), 0);
}

TEST(Reward, Pendulum) {
  Scene dense(pendulum_tasks(), "pendulum");
  EXPECT_DOUBLE_EQ(dense.reward({0}, {0}, {0}), 1);
  EXPECT_DOUBLE_EQ(dense.reward({0}, {0}, {1}), 0.8);
  EXPECT_NEAR(dense.reward({0}, {5}, {0}), 0.55, 1e-12);
  EXPECT_NEAR(dense.reward({std::numbers::pi / 2}, {0}, {0}), 0.5, 1e-12);
  Scene sparse(pendulum_tasks(), "pendulum_swingup");
  EXPECT_EQ(sparse.reward({7.99 * std::numbers::pi / 180}, {9}, {1}), 1);
  EXPECT_EQ(sparse.reward({8.01 * std::numbers::pi / 180}, {0}, {0}), 0);
}

TEST(Reward, CartAndPointMass) {
  Scene cart(cart_tasks(), "cart");
  EXPECT_DOUBLE_EQ(cart.reward({0}, {0}, {0}), 1);
  EXPECT_NEAR(cart.reward({-1}, {2}, {0}), 0.1 * 0.55, 1e-12);
  Scene mass(point_mass_tasks(), "point_mass");
  EXPECT_DOUBLE_EQ(mass.reward({0.009, -0.012}, {0, 0}, {0, 0}), 1);
  EXPECT_NEAR(mass.reward({0.018, -0.024}, {0, 0}, {1, 0}), 0.1 * 0.9, 1e-12);
}

// The finger of the outstretched arm is at (0.24, 0).
TEST(Reward, ReacherMeasuresFromTheFingerToTheTarget) {
  const std::vector<double> still = {0, 0};
  Scene easy(reacher_tasks(), "reacher_easy"), hard(reacher_tasks(), "reacher_hard"),
      dense(reacher_tasks(), "reacherDouble");
  for (Scene* scene : {&easy, &hard, &dense}) scene->target(0.24, 0.0595);
  EXPECT_EQ(easy.reward(still, still, still), 1);
  EXPECT_EQ(hard.reward(still, still, still), 0);
  EXPECT_NEAR(dense.reward(still, still, still), std::pow(0.1, std::pow(0.0395 / 0.2, 2)), 1e-12);
  for (Scene* scene : {&easy, &hard, &dense}) scene->target(0.24, 0.0245);
  EXPECT_EQ(hard.reward(still, still, still), 1);
  for (Scene* scene : {&easy, &hard, &dense}) scene->target(0.24, 0.0605);
  EXPECT_EQ(easy.reward(still, still, still), 0);
  dense.target(0.24, -0.019);
  EXPECT_DOUBLE_EQ(dense.reward(still, still, still), 1);
  EXPECT_DOUBLE_EQ(dense.reward(still, still, {1, 0}), 0.9);
}

TEST(Reward, FixedTargetsCanBeReached) {
  Scene one(reacher_tasks(), "fixedReacherSingle"), two(reacher_tasks(), "fixedReacherDouble");
  EXPECT_DOUBLE_EQ(one.reward({std::numbers::pi / 2}, {0}, {0}), 1);
  EXPECT_LT(one.reward({-std::numbers::pi / 2}, {0}, {0}), 0.1);
  // Both links of an isosceles triangle whose base goes from the shoulder to (0.1, 0.1).
  const double half = std::acos(std::hypot(0.1, 0.1) / 2 / 0.12);
  EXPECT_DOUBLE_EQ(two.reward({std::numbers::pi / 4 + half, -2 * half}, {0, 0}, {0, 0}), 1);
}

}  // namespace
}  // namespace tenfold::env
