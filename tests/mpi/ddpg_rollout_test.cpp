// What acting puts into the replay memory, against the same episodes played one environment at a
// time.
#include <gtest/gtest.h>

#include <algorithm>

#include "ddpg/rollout.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

using base::Purpose;
using base::Stream;

constexpr std::int64_t kShards = 4, kHorizon = 7, kEnvs = 2;
constexpr std::uint64_t kDecisions = kShards * kEnvs;  // of one step
constexpr std::uint32_t kSeed = 3;

Config acting() {
  Config config;
  config.task = "pendulum";
  config.horizon = kHorizon;
  config.envs_per_shard = kEnvs;
  config.start_steps = 1'000'000;
  config.replay = 100 * kShards;
  config.actor_net = config.critic_net = {8, 6};
  config.final_init = 0;
  return config;
}

struct Transition {
  std::vector<float> observation, action, next;
  float reward = 0;
  bool truncated = false, terminal = false;
};

std::vector<float> copy(std::span<const float> values) {
  return {values.begin(), values.end()};
}

// One environment alone with uniform random actions, through as many episodes as it takes.
std::vector<Transition> play(const Config& config, std::uint32_t index, int steps) {
  const auto env = env::make_env(config.task, 1, env_options(config));
  std::uint64_t episode = 0;
  const auto start = [&] {
    Stream stream(kSeed, Purpose::kEnvReset, index, episode++);
    env->reset(0, stream);
  };
  start();
  std::vector<Transition> all;
  for (int step = 0; step < steps; ++step) {
    Transition now;
    now.observation = copy(env->observations());
    Stream stream(kSeed, Purpose::kWarmUpAction, index,
                  static_cast<std::uint64_t>(step) * kDecisions);
    for (std::size_t i = 0; i < env->spec().action_size; ++i) {
      now.action.push_back(static_cast<float>(stream.uniform(-1, 1)));
    }
    env->step(now.action);
    now.next = copy(env->observations());
    now.reward = env->rewards()[0];
    now.truncated = env->truncated()[0] != 0;
    now.terminal = env->terminal()[0] != 0;
    all.push_back(now);
    if (now.truncated || now.terminal) start();
  }
  return all;
}

// Agent, environments and memory of this rank's part of a communicator.
struct Acting {
  Acting(const comm::Communicator& communicator, const Config& the_config)
      : config(the_config),
        training(communicator, kShards, train::ReduceMode::kOrdered, kSeed),
        rollout((declare(), config), training.context()),
        agent(config, static_cast<std::int64_t>(rollout.spec().observation_size),
              static_cast<std::int64_t>(rollout.spec().action_size), training.context(), 2,
              config.envs_per_shard) {
    rollout.state(registry);
  }
  void declare() {
    for (const std::string name : {"episode_return", "episode_length", "unstable_episodes"}) {
      training.metrics().declare({"train/" + name, "", "", "mean", ""});
    }
  }
  void step(int steps) {
    for (int k = 0; k < steps; ++k, global_step += kDecisions) rollout.step(agent, global_step);
  }
  std::map<std::string, std::string> state() const {
    return test::state_bytes(registry, training.plan().mine);
  }
  Config config;
  test::TrainingWorld training;
  Rollout rollout;
  Agent agent;
  store::StateRegistry registry;
  std::uint64_t global_step = 0;
};

std::string of(const char* name, std::size_t shard) {
  return std::string(name) + "@" + std::to_string(shard);
}

std::vector<float> row(const std::vector<float>& values, std::size_t index, std::size_t width) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(index * width);
  return {begin, begin + static_cast<std::ptrdiff_t>(width)};
}

// papers/ddpg.md, oracle 9.12, and section 4: a time limit is a truncation.
TEST(Rollout, StoresWhatTheEnvironmentsDidWithTheTrueLastObservation) {
  constexpr int kSteps = 20;  // episodes end after steps 7 and 14
  Acting acting_now(comm::Communicator::world(), acting());
  acting_now.step(kSteps);
  const auto state = acting_now.state();
  const std::size_t width = acting_now.rollout.spec().observation_size;
  int ends = 0;
  for (const std::size_t shard : acting_now.training.plan().mine) {
    const auto observations = test::values_of<float>(state, of("replay/observation", shard));
    const auto next = test::values_of<float>(state, of("replay/next_observation", shard));
    const auto actions = test::values_of<float>(state, of("replay/action", shard));
    const auto rewards = test::values_of<float>(state, of("replay/reward", shard));
    const auto terminals = test::values_of<std::uint8_t>(state, of("replay/terminal", shard));
    ASSERT_EQ(rewards.size(), static_cast<std::size_t>(kSteps * kEnvs));
    EXPECT_EQ(std::count(terminals.begin(), terminals.end(), 1), 0)
        << "a time limit is no terminal state";
    for (std::size_t e = 0; e < kEnvs; ++e) {
      const auto played = play(acting(), static_cast<std::uint32_t>(shard * kEnvs + e), kSteps);
      for (std::size_t t = 0; t < played.size(); ++t) {
        const std::size_t slot = t * kEnvs + e;
        EXPECT_EQ(row(observations, slot, width), played[t].observation) << "step " << t;
        EXPECT_EQ(row(actions, slot, played[t].action.size()), played[t].action);
        EXPECT_EQ(rewards[slot], played[t].reward);
        EXPECT_EQ(row(next, slot, width), played[t].next) << "step " << t;
        if (!played[t].truncated || t + 1 == played.size()) continue;
        ++ends;
        EXPECT_NE(row(next, slot, width), row(observations, slot + kEnvs, width))
            << "the first observation of the next episode was stored as a successor";
      }
    }
  }
  EXPECT_EQ(ends, static_cast<int>(2 * kEnvs * acting_now.training.plan().local()));
}

// A hopper that acts at random falls after 7 to 14 decisions: some episodes end by the fall, some
// by the time limit of 10. Only a fall is terminal; both keep their true last observation.
TEST(Rollout, StoresAFallAsTerminalAndATimeLimitNot) {
  constexpr int kSteps = 45;
  Config config = acting();
  config.task = "hopper";
  config.horizon = 10;
  Acting acting_now(comm::Communicator::world(), config);
  acting_now.step(kSteps);
  const auto state = acting_now.state();
  const std::size_t width = acting_now.rollout.spec().observation_size;
  std::int64_t falls = 0, limits = 0;
  for (const std::size_t shard : acting_now.training.plan().mine) {
    const auto observations = test::values_of<float>(state, of("replay/observation", shard));
    const auto next = test::values_of<float>(state, of("replay/next_observation", shard));
    const auto rewards = test::values_of<float>(state, of("replay/reward", shard));
    const auto terminals = test::values_of<std::uint8_t>(state, of("replay/terminal", shard));
    for (std::size_t e = 0; e < kEnvs; ++e) {
      const auto played = play(config, static_cast<std::uint32_t>(shard * kEnvs + e), kSteps);
      for (std::size_t t = 0; t < played.size(); ++t) {
        const std::size_t slot = t * kEnvs + e;
        ASSERT_EQ(terminals[slot], played[t].terminal    ? 1
                                   : played[t].truncated ? 2
                                                         : 0)
            << "step " << t;
        EXPECT_EQ(rewards[slot] == -1, played[t].terminal) << "step " << t;
        EXPECT_EQ(row(next, slot, width), played[t].next) << "step " << t;
        if (played[t].terminal) {
          EXPECT_LT(row(next, slot, width)[0], 0.45) << "the torso's height where it fell";
        }
        if (!(played[t].terminal || played[t].truncated) || t + 1 == played.size()) continue;
        ++(played[t].terminal ? falls : limits);
        EXPECT_EQ(row(observations, slot + kEnvs, width), played[t + 1].observation);
        EXPECT_GT(row(observations, slot + kEnvs, width)[0], 0.7) << "the next one stands again";
      }
    }
  }
  EXPECT_GT(comm::Communicator::world().all_reduce(falls, comm::Op::kSum), 5);
  EXPECT_GT(comm::Communicator::world().all_reduce(limits, comm::Op::kSum), 5);
}

TEST(Rollout, MemoryOfAShardKeepsTheNewest) {
  Config config = acting();
  config.replay = 10 * kShards + 3;  // what the shards cannot share evenly is left out
  Acting acting_now(comm::Communicator::world(), config);
  acting_now.step(20);
  const auto state = acting_now.state();
  for (const std::size_t shard : acting_now.training.plan().mine) {
    EXPECT_EQ(test::values_of<std::uint64_t>(state, of("replay/fill", shard)).front(), 10U);
    EXPECT_EQ(test::values_of<std::uint64_t>(state, of("replay/cursor", shard)).front(), 0U);
    const auto rewards = test::values_of<float>(state, of("replay/reward", shard));
    for (std::size_t e = 0; e < kEnvs; ++e) {
      const auto played = play(config, static_cast<std::uint32_t>(shard * kEnvs + e), 20);
      for (std::size_t t = 15; t < 20; ++t) {
        EXPECT_EQ(rewards[(t - 15) * kEnvs + e], played[t].reward);
      }
    }
  }
}

TEST(Rollout, ActsWithThePolicyPlusNoiseAfterTheStart) {
  Config config = acting();
  config.start_steps = 2 * static_cast<std::int64_t>(kDecisions);
  config.noise = "gauss";
  config.sigma = 0.7;
  Acting acting_now(comm::Communicator::world(), config);
  acting_now.step(5);
  const auto state = acting_now.state();
  const auto mu = acting_now.agent.actor_net().make_pass(1, 1, at::kCPU);
  const std::size_t width = acting_now.rollout.spec().observation_size;
  int clipped = 0;
  for (const std::size_t shard : acting_now.training.plan().mine) {
    const auto observations = test::values_of<float>(state, of("replay/observation", shard));
    const auto actions = test::values_of<float>(state, of("replay/action", shard));
    for (std::size_t slot = 0; slot < actions.size(); ++slot) {
      const auto index = static_cast<std::uint32_t>(shard * kEnvs + slot % kEnvs);
      const std::uint64_t step = slot / kEnvs * kDecisions;
      if (slot / kEnvs < 2) {
        Stream stream(kSeed, Purpose::kWarmUpAction, index, step);
        EXPECT_EQ(actions[slot], static_cast<float>(stream.uniform(-1, 1)));
        continue;
      }
      std::copy_n(&observations[slot * width], width, mu->input().data_ptr<float>());
      const at::Tensor& action = mu->forward(acting_now.agent.actor_parameters(),
                                             acting_now.agent.actor_buffers(), nn::Mode::kEval);
      Stream stream(kSeed, Purpose::kExplorationNoise, index, step);
      const double noisy = *action.data_ptr<float>() + 0.7 * stream.normal();
      EXPECT_NEAR(actions[slot], std::clamp(noisy, -1.0, 1.0), 1e-6) << "slot " << slot;
      clipped += std::abs(noisy) > 1 ? 1 : 0;
    }
  }
  EXPECT_GT(comm::Communicator::world().all_reduce(clipped, comm::Op::kSum), 0);
}

TEST(Rollout, ReturnsAndLengthsOfEpisodesAreMeasured) {
  Acting acting_now(comm::Communicator::world(), acting());
  acting_now.step(16);
  acting_now.training.metrics().publish(16);
  double sum = 0;
  for (std::uint32_t index = 0; index < kDecisions; ++index) {
    for (const Transition& each : play(acting(), index, 14)) sum += each.reward;
  }
  EXPECT_NEAR(acting_now.training.metrics().last("train/episode_return"), sum / (2 * kDecisions),
              1e-12);
  EXPECT_EQ(acting_now.training.metrics().last("train/episode_length"), kHorizon);
}

TEST(Rollout, MinibatchesDependOnTheShardNotOnTheRank) {
  Acting together(comm::Communicator::world(), acting());
  Acting alone(comm::Communicator::self(), acting());
  together.step(9);
  alone.step(9);
  for (const std::uint64_t draw : {0U, 1U, 7U}) {
    together.rollout.memory().sample(together.agent.batch(), 2, draw, 0);
    alone.rollout.memory().sample(alone.agent.batch(), 2, draw, 0);
    for (const std::size_t shard : together.training.plan().mine) {
      const std::size_t k = together.training.plan().local_index(shard);
      const auto rows = [](const at::Tensor& block, std::size_t at) {
        const auto size = static_cast<std::size_t>(block.size(1) * block.size(2));
        const float* data = block.data_ptr<float>() + at * size;
        return std::vector<float>(data, data + size);
      };
      EXPECT_EQ(rows(together.agent.batch().observation, k),
                rows(alone.agent.batch().observation, shard));
      EXPECT_EQ(rows(together.agent.batch().next_observation, k),
                rows(alone.agent.batch().next_observation, shard));
      EXPECT_EQ(rows(together.agent.batch().reward, k), rows(alone.agent.batch().reward, shard));
    }
  }
}

}  // namespace
}  // namespace tenfold::ddpg
