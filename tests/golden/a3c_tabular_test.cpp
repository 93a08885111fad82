// What the methods converge to where it is known: one-hot states and linear networks are tables.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <memory>

#include "a3c/rollout.hpp"
#include "a3c/sharing/optimizer.hpp"
#include "base/error.hpp"

namespace tenfold::a3c {
namespace {

constexpr double kGamma = 0.9;
constexpr double kClose = 1e-2;

struct Move {
  std::int64_t to = 0;
  float reward = 0;
  bool end = false;
};
using Moves = Move (*)(std::int64_t state, std::int64_t action);

// One environment of a few states with two actions; episodes begin anywhere.
class Table final : public env::BatchEnv {
 public:
  Table(std::int64_t states, Moves moves, std::int64_t limit) : moves_(moves), states_(states) {
    spec_.name = "table";
    spec_.observation_size = static_cast<std::size_t>(states);
    spec_.choices = 2;
    spec_.action_size = 1;
    spec_.horizon = limit;
    observation_.resize(static_cast<std::size_t>(states));
  }
  const env::Spec& spec() const override { return spec_; }
  std::size_t size() const override { return 1; }
  void reset(std::size_t /*row*/, base::Stream& stream) override {
    time_ = 0;
    go(static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(states_))));
  }
  void step(std::span<const float> actions) override {
    const Move move = moves_(state_, static_cast<std::int64_t>(actions[0]));
    go(move.to);
    reward_ = move.reward;
    terminal_ = move.end;
    truncated_ = !move.end && ++time_ == spec_.horizon;
  }
  std::span<const float> observations() const override { return observation_; }
  std::span<const float> rewards() const override { return {&reward_, 1}; }
  std::span<const std::uint8_t> terminal() const override { return {&terminal_, 1}; }
  std::span<const std::uint8_t> truncated() const override { return {&truncated_, 1}; }
  std::uint64_t unstable_count() const override { return 0; }
  std::size_t state_size() const override { return 1; }
  void save(std::size_t /*row*/, std::span<double> /*state*/) const override {}
  void load(std::size_t /*row*/, std::span<const double> /*state*/) override {}

 private:
  void go(std::int64_t state) {
    state_ = state;
    std::fill(observation_.begin(), observation_.end(), 0.0F);
    observation_[static_cast<std::size_t>(state)] = 1;
  }

  Moves moves_;
  std::int64_t states_, state_ = 0, time_ = 0;
  env::Spec spec_;
  std::vector<float> observation_;
  float reward_ = 0;
  std::uint8_t terminal_ = 0, truncated_ = 0;
};

// Five places in a row: to the right of the last one lies a prize, which ends the episode.
constexpr std::int64_t kPlaces = 5;
Move chain(std::int64_t state, std::int64_t action) {
  if (action == 0) return {std::max<std::int64_t>(state - 1, 0), 0, false};
  if (state + 1 == kPlaces) return {state, 1, true};
  return {state + 1, 0, false};
}

Move standing_still(std::int64_t /*state*/, std::int64_t /*action*/) {
  return {0, 1, false};
}

Move broken(std::int64_t /*state*/, std::int64_t /*action*/) {
  return {0, NAN, false};
}

struct Case {
  std::string method;
  double epsilon = 0;
  std::int64_t t_max = 5, rollouts = 20000;
  double lr = 0.1;
  bool timeout_as_terminal = false;
};

// Plain gradient steps that shrink to nothing; the target network follows every 20 rollouts.
class Learner {
 public:
  Learner(const Case& the_case, std::int64_t states, Moves moves, std::int64_t limit)
      : case_(the_case), states_(states) {
    config_.method = case_.method;
    config_.net = {};
    config_.t_max = case_.t_max;
    config_.gamma = kGamma;
    config_.reward_scale = 1;
    config_.timeout_as_terminal = case_.timeout_as_terminal;
    auto envs = std::make_unique<Table>(states, moves, limit);
    const env::Spec spec = envs->spec();
    networks_ = std::make_unique<Networks>(config_, spec);
    actor_ = std::make_unique<Actor>(config_, 0, 1, 0, 0, std::move(envs));
    worker_ = std::make_unique<RolloutWorker>(config_, *networks_, spec, at::kCPU);
    parameters_ = at::zeros({networks_->layout().flat_size()}, at::kFloat);
  }

  void learn() {
    const std::int64_t size = parameters_.numel();
    at::Tensor target = parameters_.clone(), gradient = at::full({size}, NAN, at::kFloat);
    std::vector<float> momentum(static_cast<std::size_t>(size));
    for (std::int64_t k = 0; k < case_.rollouts; ++k) {
      begin_anywhere(k);
      worker_->run(*actor_, {parameters_, target, case_.epsilon}, gradient, tally_);
      const double lr =
          case_.lr * (1 - static_cast<double>(k) / static_cast<double>(case_.rollouts));
      plain_step({OptimizerKind::kMomentum, 0, 0}, lr, gradient.data_ptr<float>(), momentum.data(),
                 parameters_.data_ptr<float>(), size);
      if (k % 20 == 19) target.copy_(parameters_);
    }
  }

  /// Output i, Q or at last V, in a state.
  double output(std::int64_t state, std::int64_t i) const {
    const auto& entries = networks_->layout().entries();
    const float* const p = parameters_.data_ptr<float>();
    const std::int64_t width = entries.at(1).size;
    return p[entries.at(0).offset + state * width + i] + p[entries.at(1).offset + i];
  }

 private:
  // Whoever never explores sees all pairs of a state and an action only if episodes begin with
  // them.
  void begin_anywhere(std::int64_t k) {
    if (states_ == 1 || actor_->lengths[0] > 0) return;
    base::Stream stream(3, base::Purpose::kTest, 0, static_cast<std::uint64_t>(k));
    actor_->next_actions[0] = static_cast<std::int64_t>(stream.below(2));
  }

  Case case_;
  std::int64_t states_;
  Config config_;
  std::unique_ptr<Networks> networks_;
  std::unique_ptr<Actor> actor_;
  std::unique_ptr<RolloutWorker> worker_;
  at::Tensor parameters_;
  Tally tally_;
};

double optimal(std::int64_t state, std::int64_t action) {
  const Move move = chain(state, action);
  if (move.end) return move.reward;
  return kGamma * std::pow(kGamma, static_cast<double>(kPlaces - 1 - move.to));
}

// Of the policy that goes right, and with probability epsilon anywhere.
std::array<std::array<double, 2>, kPlaces> values_of_policy(double epsilon) {
  std::array<std::array<double, 2>, kPlaces> q{};
  for (int sweep = 0; sweep < 1000; ++sweep) {
    for (std::int64_t state = 0; state < kPlaces; ++state) {
      for (std::int64_t action = 0; action < 2; ++action) {
        const Move move = chain(state, action);
        const auto& next = q[static_cast<std::size_t>(move.to)];
        q[static_cast<std::size_t>(state)][static_cast<std::size_t>(action)] =
            move.end ? move.reward : kGamma * ((1 - epsilon / 2) * next[1] + epsilon / 2 * next[0]);
      }
    }
  }
  return q;
}

TEST(Tabular, MethodsConvergeToTheBestValues) {
  for (const Case& each : {Case{"q"}, Case{"q", 0.5}, Case{"sarsa"}, Case{"nstep-q"}}) {
    Learner learner(each, kPlaces, chain, 20);
    learner.learn();
    for (std::int64_t state = 0; state < kPlaces; ++state) {
      for (std::int64_t action = 0; action < 2; ++action) {
        EXPECT_NEAR(learner.output(state, action), optimal(state, action), kClose)
            << each.method << " " << each.epsilon << ", state " << state << ", action " << action;
      }
    }
  }
}

TEST(Tabular, SarsaConvergesToWhatItDoes) {
  constexpr double kEpsilon = 0.2;
  const auto expected = values_of_policy(kEpsilon);
  EXPECT_GT(optimal(0, 1) - expected[0][1], 5 * kClose) << "the two are to be told apart";
  Learner learner({"sarsa", kEpsilon, 5, 60000, 0.1}, kPlaces, chain, 20);
  learner.learn();
  for (std::size_t state = 0; state < kPlaces; ++state) {
    for (std::size_t action = 0; action < 2; ++action) {
      EXPECT_NEAR(
          learner.output(static_cast<std::int64_t>(state), static_cast<std::int64_t>(action)),
          expected[state][action], kClose)
          << state << " " << action;
    }
  }
}

TEST(Tabular, ARewardThatIsNoNumberIsNamed) {
  for (const char* method : {"a3c", "nstep-q"}) {
    Learner learner({method}, 1, broken, 10);
    try {
      learner.learn();
      FAIL() << "it was learned from";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kNumeric);
      EXPECT_THAT(error.message(),
                  testing::HasSubstr("reward of actor 0, environment 0, decision 1 is nan"));
    }
  }
}

// One state, 1 for every step, a limit of ten: who does not see the limit must not learn it.
TEST(Tabular, TimeLimitsAreNoEnds) {
  for (const char* method : {"a3c", "q", "sarsa", "nstep-q"}) {
    Learner learner({method, 0, 10, 4000, 0.02}, 1, standing_still, 10);
    learner.learn();
    const double found = std::string(method) == "a3c"
                             ? learner.output(0, 2)
                             : std::max(learner.output(0, 0), learner.output(0, 1));
    EXPECT_NEAR(found, 1 / (1 - kGamma), 10 * kClose) << method;
  }
}

TEST(Tabular, TimeLimitsAreEndsForWhoAsksForIt) {
  // The mean over the ten steps of an episode of what is left of it; a one-step method's target is
  // 1 in one step of ten, 1 + gamma Q in the others.
  double mean_of_sums = 0;
  for (int left = 1; left <= 10; ++left) {
    mean_of_sums += (1 - std::pow(kGamma, left)) / (1 - kGamma) / 10;
  }
  const double one_step = 1 / (1 - 0.9 * kGamma);
  for (const auto& [method, expected] : {std::pair{"a3c", mean_of_sums},
                                         {"q", one_step},
                                         {"sarsa", one_step},
                                         {"nstep-q", mean_of_sums}}) {
    Learner learner({method, 0, 10, 4000, 0.02, true}, 1, standing_still, 10);
    learner.learn();
    const double found = std::string(method) == "a3c"
                             ? learner.output(0, 2)
                             : std::max(learner.output(0, 0), learner.output(0, 1));
    EXPECT_NEAR(found, expected, 5 * kClose) << method;
  }
}

}  // namespace
}  // namespace tenfold::a3c
