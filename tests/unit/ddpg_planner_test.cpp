// Planners on problems with known answers (papers/ddpg.md, oracle 11).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "ddpg/planner/box_qp.hpp"
#include "ddpg/planner/cem.hpp"
#include "ddpg/planner/ilqg.hpp"
#include "ddpg_planner_problems.hpp"

namespace tenfold::ddpg {
namespace {

using test::LinearQuadratic;
using test::oscillator;
using test::simulations_of;
using testing::HasSubstr;

constexpr std::size_t kLookahead = 12;

using Table = std::vector<std::vector<double>>;

// The Riccati recursion in loops of its own: u_t = K_t x_t, from the last decision (after which
// nothing costs) to the first.
std::vector<Table> riccati_gains(const LinearQuadratic& problem, std::size_t decisions) {
  const int n = 2, m = 2;
  Table value(n, std::vector<double>(n, 0.0));
  std::vector<Table> gains(decisions);
  for (std::size_t t = decisions; t-- > 0;) {
    const auto through = [&](const Eigen::MatrixXd& left, const Eigen::MatrixXd& right, int i,
                             int j) {
      double sum = 0;
      for (int k = 0; k < n; ++k) {
        for (int l = 0; l < n; ++l) sum += left(k, i) * value[k][l] * right(l, j);
      }
      return sum;
    };
    double quu[2][2], qux[2][2];
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < m; ++j) {
        quu[i][j] = problem.r(i, j) + through(problem.b, problem.b, i, j);
        qux[i][j] = problem.s(i, j) + through(problem.b, problem.a, i, j);
      }
    }
    const double determinant = quu[0][0] * quu[1][1] - quu[0][1] * quu[1][0];
    Table& gain = gains[t] = Table(m, std::vector<double>(n));
    for (int j = 0; j < n; ++j) {
      gain[0][j] = -(quu[1][1] * qux[0][j] - quu[0][1] * qux[1][j]) / determinant;
      gain[1][j] = -(quu[0][0] * qux[1][j] - quu[1][0] * qux[0][j]) / determinant;
    }
    Table next(n, std::vector<double>(n));
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        next[i][j] = problem.q(i, j) + through(problem.a, problem.a, i, j);
        for (int k = 0; k < m; ++k) next[i][j] += qux[k][i] * gain[k][j];
      }
    }
    value = next;
  }
  return gains;
}

PlannerOptions options(const char* method) {
  PlannerOptions chosen;
  chosen.method = method;
  chosen.lookahead = kLookahead;
  return chosen;
}

struct Memory {
  explicit Memory(const Planner& planner) : numbers(planner.memory_size()) {
    planner.begin(numbers);
  }
  std::vector<double> numbers;
};

std::vector<float> decide(Planner& planner, Memory& memory, std::vector<double> state,
                          std::uint64_t step = 0, std::size_t width = 2) {
  base::Stream stream(3, base::Purpose::kPlanner, 0, step);
  std::vector<float> action(width);
  planner.decide(state, stream, memory.numbers, action);
  return action;
}

TEST(Ilqg, OneIterationGivesTheRiccatiGains) {
  const LinearQuadratic problem = oscillator();
  IlqgPlanner planner(options("ilqg"), simulations_of(problem));
  Memory memory(planner);
  const std::vector<double> start{0.4, -0.2};
  const std::vector<float> action = decide(planner, memory, start);
  const std::vector<Table> expected = riccati_gains(problem, kLookahead);
  ASSERT_EQ(planner.gains().size(), kLookahead);
  for (std::size_t t = 0; t < kLookahead; ++t) {
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < 2; ++j) {
        EXPECT_NEAR(planner.gains()[t].feedback(i, j), expected[t][i][j], 1e-7) << "decision " << t;
      }
    }
  }
  // The whole plan is the optimal one: its actions follow the gains along the path.
  double x[2] = {start[0], start[1]};
  for (std::size_t t = 0; t < kLookahead; ++t) {
    double u[2];
    for (int i = 0; i < 2; ++i) u[i] = expected[t][i][0] * x[0] + expected[t][i][1] * x[1];
    for (int i = 0; i < 2; ++i) {
      const double planned =
          t == 0 ? action[static_cast<std::size_t>(i)]
                 : memory.numbers[2 * (t - 1) + static_cast<std::size_t>(i)];  // moved on by one
      EXPECT_NEAR(planned, u[i], 1e-6) << "decision " << t;
    }
    const double next[2] = {
        problem.a(0, 0) * x[0] + problem.a(0, 1) * x[1] + problem.b(0, 0) * u[0],
        problem.a(1, 0) * x[0] + problem.a(1, 1) * x[1] + problem.b(1, 0) * u[0] +
            problem.b(1, 1) * u[1]};
    x[0] = next[0];
    x[1] = next[1];
  }
}

// The regularisation that begins an episode is none, so that one iteration is Newton's.
TEST(Ilqg, ASecondIterationFindsNothingBetter) {
  IlqgPlanner planner(options("ilqg"), simulations_of(oscillator()));
  Memory memory(planner);
  const std::vector<float> once = decide(planner, memory, {0.4, -0.2});
  PlannerOptions twice = options("ilqg");
  twice.iterations = 2;
  IlqgPlanner patient(twice, simulations_of(oscillator()));
  Memory other(patient);
  const std::vector<float> again = decide(patient, other, {0.4, -0.2});
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(once[i], again[i], 1e-6);
}

double cost_of(const LinearQuadratic& problem, std::vector<double> state,
               const std::vector<float>& plan) {
  test::LinearSimulation simulation(problem, 1);
  simulation.load(0, state);
  double total = 0, cost = 0;
  for (std::size_t k = 0; k < plan.size(); k += 2) {
    simulation.step({plan.data() + k, 2}, {&cost, 1});
    total += cost;
  }
  return total;
}

std::vector<float> plan_of(const std::vector<float>& first, const Memory& memory) {
  std::vector<float> plan = first;
  for (std::size_t k = 0; k + 2 < 2 * kLookahead; ++k) {
    plan.push_back(static_cast<float>(memory.numbers[k]));
  }
  return plan;
}

TEST(Ilqg, FarAwayItsActionsStayInTheBoundsAndAreOptimalThere) {
  const LinearQuadratic problem = oscillator();
  PlannerOptions patient = options("ilqg");
  patient.iterations = 30;
  IlqgPlanner planner(patient, simulations_of(problem));
  Memory memory(planner);
  const std::vector<double> start{9, 5};
  const std::vector<float> plan = plan_of(decide(planner, memory, start), memory);
  std::size_t at_bound = 0;
  for (const float each : plan) {
    EXPECT_GE(each, -1);
    EXPECT_LE(each, 1);
    at_bound += std::abs(each) == 1 ? 1 : 0;
  }
  EXPECT_GT(at_bound, 4U);
  // A convex problem: where no single action can be moved to anything cheaper, it is solved.
  const double best = cost_of(problem, start, plan);
  for (std::size_t k = 0; k < plan.size(); ++k) {
    for (const float move : {-1e-2F, 1e-2F}) {
      std::vector<float> other = plan;
      other[k] = std::clamp(other[k] + move, -1.0F, 1.0F);
      EXPECT_GE(cost_of(problem, start, other), best - 1e-7) << "action " << k;
    }
  }
}

TEST(Ilqg, RefusesWhatHasNoDerivatives) {
  class Rigid final : public Simulation {
   public:
    std::size_t rows() const override { return 1; }
    std::size_t state_size() const override { return 1; }
    std::size_t action_size() const override { return 1; }
    std::size_t tangent_size() const override { return 0; }
    void load(std::size_t, std::span<const double>) override {}
    void save(std::size_t, std::span<double>) const override {}
    void step(std::span<const float>, std::span<double>) override {}
    bool ended(std::size_t) const override { return false; }
    void displace(std::span<double>, std::span<const double>) const override {}
    void difference(std::span<const double>, std::span<const double>,
                    std::span<double>) const override {}
  };
  try {
    make_planner(options("ilqg"), [](std::size_t) { return std::make_unique<Rigid>(); });
    FAIL() << "no exception";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("--planner cem"));
  }
}

// Every action of an edge's side pulls towards a fall that costs 5; the slope of the rest of the
// cost pulls over it.
LinearQuadratic cliff() {
  LinearQuadratic problem = oscillator();
  problem.a = Eigen::MatrixXd::Identity(2, 2);
  problem.b = 0.2 * Eigen::MatrixXd::Identity(2, 2);
  problem.q = problem.s = Eigen::MatrixXd::Zero(2, 2);
  problem.r = 1e-3 * Eigen::MatrixXd::Identity(2, 2);
  problem.linear = Eigen::Vector2d(-0.2, 0.0);
  problem.edge = 1;
  problem.fall = 5;
  return problem;
}

class EitherPlanner : public testing::TestWithParam<const char*> {};

TEST_P(EitherPlanner, DoesNotWalkOffAnEdge) {
  const LinearQuadratic problem = cliff();
  const auto planner = make_planner(options(GetParam()), simulations_of(problem));
  Memory memory(*planner);
  test::LinearSimulation world(problem, 1);
  std::vector<double> state{0, 0};
  world.load(0, state);
  double cost = 0;
  for (std::uint64_t t = 0; t < 40; ++t) {
    world.save(0, state);
    world.step(decide(*planner, memory, state, t), {&cost, 1});
    ASSERT_FALSE(world.ended(0)) << "decision " << t << ", from " << state[0];
  }
  world.save(0, state);
  EXPECT_GT(state[0], 0.3) << "nor does it stay away from where it is cheap";
}

TEST_P(EitherPlanner, IsAFunctionOfStateMemoryAndStream) {
  const auto planner = make_planner(options(GetParam()), simulations_of(oscillator()));
  Memory first(*planner), second(*planner), other(*planner);
  const auto a = decide(*planner, first, {0.4, -0.2});
  decide(*planner, other, {-3, 2}, 9);  // another episode between the two
  const auto b = decide(*planner, second, {0.4, -0.2});
  EXPECT_EQ(a, b);
  EXPECT_EQ(first.numbers, second.numbers);
  EXPECT_EQ(decide(*planner, first, {0.3, -0.1}, 1), decide(*planner, second, {0.3, -0.1}, 1));
}

INSTANTIATE_TEST_SUITE_P(Planner, EitherPlanner, testing::Values("ilqg", "cem"));

TEST(Cem, ComesCloseToTheOptimumOfAKnownProblem) {
  const LinearQuadratic problem = oscillator();
  PlannerOptions many = options("cem");
  many.samples = 200;
  many.iterations = 12;
  CemPlanner planner(many, simulations_of(problem));
  Memory memory(planner);
  const std::vector<double> start{1.0, 0.3};
  const std::vector<float> action = decide(planner, memory, start);
  const Table gain = riccati_gains(problem, kLookahead)[0];
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(action[i], gain[i][0] * start[0] + gain[i][1] * start[1], 0.15);
  }
}

TEST(BoxQp, IsTheMinimumThatAGridFinds) {
  base::Stream stream(1, base::Purpose::kTest, 0, 0);
  for (int problem = 0; problem < 20; ++problem) {
    Eigen::Matrix2d root;
    Eigen::Vector2d g;
    for (double& each : root.reshaped()) each = stream.uniform(-1, 1);
    for (double& each : g.reshaped()) each = stream.uniform(-2, 2);
    const Eigen::MatrixXd h = root * root.transpose() + 0.1 * Eigen::Matrix2d::Identity();
    const Eigen::Vector2d low(-0.5, -1), high(1, 0.25);
    const BoxSolution solution = solve_box(h, g, low, high);
    ASSERT_TRUE(solution.positive);
    const auto value = [&](const Eigen::Vector2d& x) { return x.dot(0.5 * (h * x) + g); };
    const double found = value(Eigen::Vector2d(solution.x));
    for (int i = 0; i <= 60; ++i) {
      for (int j = 0; j <= 60; ++j) {
        const Eigen::Vector2d x(low[0] + (high[0] - low[0]) * i / 60,
                                low[1] + (high[1] - low[1]) * j / 60);
        ASSERT_GE(value(x), found - 1e-9);
      }
    }
    for (int i = 0; i < 2; ++i) {
      EXPECT_GE(solution.x[i], low[i]);
      EXPECT_LE(solution.x[i], high[i]);
    }
  }
}

TEST(BoxQp, SaysWhenThereIsNoMinimum) {
  const Eigen::Matrix2d saddle = (Eigen::Matrix2d() << 1, 0, 0, -1).finished();
  const Eigen::Vector2d one(1, 1);
  EXPECT_FALSE(solve_box(saddle, one, -one, one).positive);
}

}  // namespace
}  // namespace tenfold::ddpg
