// Evaluations: the episodes that a plain loop plays, the same on any number of ranks.
#include <gtest/gtest.h>

#include <cmath>

#include "ddpg/evaluation.hpp"
#include "ddpg/rollout.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 4, kHorizon = 30, kEpisodes = 6;  // uneven over the shards
constexpr std::uint32_t kSeed = 5;

Config measuring() {
  Config config;
  config.task = "cartpole_swingup";
  config.horizon = kHorizon;
  config.eval_episodes = kEpisodes;
  config.actor_net = config.critic_net = {12, 9};
  config.action_layer = 2;
  config.batch_norm = "paper";
  config.final_init = 0;
  config.gamma = 0.75;
  config.reward_scale = 0.5;
  return config;
}

struct Measuring {
  explicit Measuring(const comm::Communicator& communicator,
                     train::ReduceMode mode = train::ReduceMode::kOrdered)
      : training(communicator, kShards, mode, kSeed),
        agent(config, 5, 1, training.context(), 2, 1),
        evaluator(config, agent, training.context()) {}
  Config config = measuring();
  test::TrainingWorld training;
  Agent agent;
  Evaluator evaluator;
};

void expect_same_bits(const EvaluationResult& a, const EvaluationResult& b) {
  ASSERT_EQ(a.episodes.size(), b.episodes.size());
  for (std::size_t i = 0; i < a.episodes.size(); ++i) {
    EXPECT_EQ(a.episodes[i].episode_return, b.episodes[i].episode_return) << "episode " << i;
    EXPECT_EQ(a.episodes[i].length, b.episodes[i].length) << "episode " << i;
  }
  ASSERT_EQ(a.calibration.size(), b.calibration.size());
  for (std::size_t i = 0; i < a.calibration.size(); ++i) {
    EXPECT_EQ(a.calibration[i].estimated, b.calibration[i].estimated) << "mark " << i;
    EXPECT_EQ(a.calibration[i].returned, b.calibration[i].returned) << "mark " << i;
  }
}

TEST(Evaluator, ResultsDoNotDependOnTheNumberOfRanks) {
  Measuring together(comm::Communicator::world());
  Measuring alone(comm::Communicator::self());
  for (const bool random : {true, false}) {
    for (const std::uint64_t number : {0U, 3U}) {
      const EvaluationResult result = together.evaluator.run(together.agent, number, random);
      expect_same_bits(result, alone.evaluator.run(alone.agent, number, random));
      EXPECT_EQ(result.episodes.size(), static_cast<std::size_t>(kEpisodes));
    }
  }
}

TEST(Evaluator, EpisodesDifferFromEachOtherAndBetweenEvaluations) {
  Measuring measuring_now(comm::Communicator::world());
  const auto first = measuring_now.evaluator.run(measuring_now.agent, 1, false);
  const auto second = measuring_now.evaluator.run(measuring_now.agent, 2, false);
  expect_same_bits(first, measuring_now.evaluator.run(measuring_now.agent, 1, false));
  for (std::size_t i = 0; i < first.episodes.size(); ++i) {
    EXPECT_NE(first.episodes[i].episode_return, second.episodes[i].episode_return);
    EXPECT_NE(first.episodes[i].episode_return,
              first.episodes[(i + 1) % first.episodes.size()].episode_return);
  }
}

// One network of one row, with running averages.
float value(nn::NetworkPass& pass, const at::Tensor& parameters, const at::Tensor& buffers,
            std::span<const float> input, const float* second) {
  std::copy(input.begin(), input.end(), pass.input().data_ptr<float>());
  if (second != nullptr) *pass.second_input().data_ptr<float>() = *second;
  return *pass.forward(parameters, buffers, nn::Mode::kEval).data_ptr<float>();
}

TEST(Evaluator, PlaysThePolicyAndHoldsQAgainstTheDiscountedReturn) {
  Measuring measuring_now(comm::Communicator::world());
  const Agent& agent = measuring_now.agent;
  const Config& config = measuring_now.config;
  const EvaluationResult result = measuring_now.evaluator.run(agent, 2, false);
  const auto mu = agent.actor_net().make_pass(1, 1, at::kCPU);
  const auto q = agent.critic_net().make_pass(1, 1, at::kCPU);
  // At least 3 / (1 - gamma) = 12 of 30 decisions are left to see: 5 marks, every 3 decisions.
  ASSERT_EQ(result.calibration.size(), static_cast<std::size_t>(5 * kEpisodes));
  for (std::uint32_t episode = 0; episode < kEpisodes; ++episode) {
    const auto env = env::make_env(config.task, 1, env_options(config));
    base::Stream stream(kSeed, base::Purpose::kEvaluationReset, episode, 2);
    env->reset(0, stream);
    std::vector<double> rewards, estimates;
    double sum = 0;
    while (rewards.empty() || env->truncated()[0] == 0) {
      const float action =
          value(*mu, agent.actor_parameters(), agent.actor_buffers(), env->observations(), nullptr);
      estimates.push_back(value(*q, agent.critic_parameters(), agent.critic_buffers(),
                                env->observations(), &action));
      env->step({&action, 1});
      rewards.push_back(env->rewards()[0]);
      sum += rewards.back();
    }
    EXPECT_NEAR(result.episodes[episode].episode_return, sum, 1e-4);
    EXPECT_EQ(result.episodes[episode].length, kHorizon);
    for (std::size_t mark = 0; mark < 5; ++mark) {
      double discounted = 0;
      for (std::size_t t = rewards.size(); t-- > 3 * mark;) {
        discounted = 0.5 * rewards[t] + 0.75 * discounted;
      }
      const Calibration& ours = result.calibration[5 * episode + mark];
      EXPECT_NEAR(ours.estimated, estimates[3 * mark], 1e-5);
      EXPECT_NEAR(ours.returned, discounted, 1e-5);
    }
  }
}

TEST(Evaluator, FastReductionPlaysTheSameEpisodes) {
  Measuring ordered(comm::Communicator::world());
  Measuring fast(comm::Communicator::world(), train::ReduceMode::kFast);
  const auto a = ordered.evaluator.run(ordered.agent, 1, false);
  const auto b = fast.evaluator.run(fast.agent, 1, false);
  for (std::size_t i = 0; i < a.episodes.size(); ++i) {
    EXPECT_NEAR(a.episodes[i].episode_return, b.episodes[i].episode_return, 1e-4);
  }
}

TEST(Evaluator, LeavesTheAgentAsItWas) {
  Measuring measuring_now(comm::Communicator::world());
  store::StateRegistry registry;
  measuring_now.agent.state(registry);
  const auto before = test::state_bytes(registry, {});
  measuring_now.evaluator.run(measuring_now.agent, 0, true);
  measuring_now.evaluator.run(measuring_now.agent, 1, false);
  EXPECT_EQ(test::state_bytes(registry, {}), before);
}

}  // namespace
}  // namespace tenfold::ddpg
