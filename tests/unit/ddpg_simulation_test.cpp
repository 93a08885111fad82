// A task's environments as planners see them.
#include <gtest/gtest.h>

#include <cmath>

#include "ddpg/planner/expansion.hpp"
#include "ddpg/planner/simulation.hpp"
#include "ddpg_planner_problems.hpp"

namespace tenfold::ddpg {
namespace {

std::vector<double> first_state(const std::string& task, std::uint32_t episode = 0) {
  const auto env = env::make_env(task, 1);
  base::Stream stream(2, base::Purpose::kTest, episode, 0);
  env->reset(0, stream);
  std::vector<double> state(env->state_size());
  env->save(0, state);
  return state;
}

TEST(EnvSimulation, CostsAreOneMinusTheRewardsOfTheEnvironment) {
  const auto env = env::make_env("cartpole_swingup", 1, {.horizon = 3});
  EnvSimulation simulation("cartpole_swingup", 2, {.horizon = 3});
  const std::vector<double> state = first_state("cartpole_swingup");
  env->load(0, state);
  for (std::size_t row = 0; row < 2; ++row) simulation.load(row, state);
  std::vector<double> costs(2), theirs(state.size()), ours(state.size());
  for (int t = 0; t < 10; ++t) {  // past the time limit, which plans do not see
    const float action = 0.3F * static_cast<float>(t % 5 - 2);
    simulation.step(std::vector<float>{0.1F, action}, costs);
    ASSERT_FALSE(simulation.ended(1));
    if (t >= 3) continue;
    env->step({&action, 1});
    EXPECT_EQ(static_cast<float>(1 - costs[1]), env->rewards()[0]);
    env->save(0, theirs);
    simulation.save(1, ours);
    EXPECT_EQ(ours, theirs);
  }
}

// The pendulum of data/mjcf is a hinge with one motor: its derivatives over a decision, by moving
// a state by hand and stepping an environment.
TEST(Expander, DerivativesOfAPendulum) {
  const SimulationFactory simulations = [](std::size_t rows) {
    return std::make_unique<EnvSimulation>("pendulum", rows, env::EnvOptions{});
  };
  Expander expander(simulations);
  ASSERT_EQ(expander.tangent_size(), 2U);
  const std::vector<double> state = first_state("pendulum");
  const float action = 0.25F;
  Expansion expansion;
  expander.expand(state, {&action, 1}, expansion);

  EnvSimulation world("pendulum", 1, {});
  const auto outcome = [&](double angle, double velocity, double u) {
    std::vector<double> moved = state, next(state.size());
    moved[1] += angle;  // a state holds the time, the angle, the velocity
    moved[2] += velocity;
    world.load(0, moved);
    const auto force = static_cast<float>(u);
    double cost = 0;
    world.step({&force, 1}, {&cost, 1});
    world.save(0, next);
    return Eigen::Vector3d(next[1], next[2], cost);
  };
  const double h = 1e-4;
  Eigen::Matrix3d slope;
  slope.col(0) = (outcome(h, 0, action) - outcome(-h, 0, action)) / (2 * h);
  slope.col(1) = (outcome(0, h, action) - outcome(0, -h, action)) / (2 * h);
  slope.col(2) = (outcome(0, 0, action + 0.03125) - outcome(0, 0, action - 0.03125)) / 0.0625;
  EXPECT_NEAR((expansion.a - slope.topLeftCorner(2, 2)).norm(), 0, 1e-5);
  EXPECT_NEAR((expansion.b - slope.topRightCorner(2, 1)).norm(), 0, 1e-5);
  EXPECT_NEAR((expansion.cx.transpose() - slope.bottomLeftCorner(1, 2)).norm(), 0, 1e-5);
  EXPECT_NEAR(expansion.cu[0], slope(2, 2), 1e-4);
  EXPECT_GT(expansion.a(0, 0), 0.5);
  EXPECT_GT(std::abs(expansion.b(1, 0)), 1e-3);
}

// Cost x0 x1 + 2 x0^2: with many directions only the diagonal of the curvature is looked at.
TEST(Expander, CurvatureIsFullForFewDirectionsAndDiagonalForMany) {
  for (const Eigen::Index n : {3, 20}) {
    test::LinearQuadratic problem;
    problem.a = Eigen::MatrixXd::Identity(n, n);
    problem.b = Eigen::MatrixXd::Ones(n, 1);
    problem.q = Eigen::MatrixXd::Zero(n, n);
    problem.q(0, 1) = problem.q(1, 0) = 1;
    problem.q(0, 0) = 4;
    problem.q(1, 1) = 1;
    problem.r = Eigen::MatrixXd::Identity(1, 1);
    problem.s = Eigen::MatrixXd::Zero(1, n);
    problem.linear = Eigen::VectorXd::Zero(n);
    Expander expander(test::simulations_of(problem));
    Expansion expansion;
    const std::vector<double> state(static_cast<std::size_t>(n), 0.5);
    const float action = 1;  // a bound, where actions are clipped
    expander.expand(state, {&action, 1}, expansion);
    const bool full = static_cast<std::size_t>(n + 1) <= Expander::kMostFull;
    EXPECT_NEAR(expansion.cxx(0, 0), 4, 1e-6);
    EXPECT_NEAR(expansion.cxx(1, 0), full ? 1 : 0, 1e-6);
    EXPECT_NEAR(expansion.cx[0], 2.5, 1e-8);
    EXPECT_NEAR(expansion.cu[0], 1, 1e-8);
    EXPECT_NEAR((expansion.a - problem.a).norm(), 0, 1e-9);
    EXPECT_NEAR((expansion.b - problem.b).norm(), 0, 1e-9);
  }
}

// Moving a state and asking for the difference are each other's inverse, on every task.
TEST(SmoothBatchEnv, DifferenceUndoesDisplacement) {
  for (const env::Spec& spec : env::list_tasks()) {
    const auto env = env::make_env(spec.name, 1);
    const auto* smooth = dynamic_cast<const env::SmoothBatchEnv*>(env.get());
    if (smooth == nullptr) continue;
    const std::vector<double> state = first_state(spec.name);
    base::Stream stream(1, base::Purpose::kTest, 5, 0);
    std::vector<double> tangent(smooth->tangent_size()), found(tangent.size()), moved = state;
    for (double& each : tangent) each = stream.uniform(-0.1, 0.1);
    smooth->displace(moved, tangent);
    smooth->difference(state, moved, found);
    for (std::size_t i = 0; i < tangent.size(); ++i) {
      EXPECT_NEAR(found[i], tangent[i], 1e-9) << spec.name << ", direction " << i;
    }
  }
}

}  // namespace
}  // namespace tenfold::ddpg
