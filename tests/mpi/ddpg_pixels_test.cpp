// Acting from pictures: what reaches the replay memory, against the same episodes played one
// environment at a time.
#include <gtest/gtest.h>

#include "ddpg/rollout.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"
#include "unit/env_pictures.hpp"

namespace tenfold::ddpg {
namespace {

using base::Purpose;
using base::Stream;
using Bytes = std::vector<std::uint8_t>;

constexpr std::int64_t kShards = 4, kEnvs = 2, kSide = 16;
constexpr std::uint64_t kDecisions = kShards * kEnvs;  // of one step
constexpr std::uint32_t kSeed = 3;

Config acting(const std::string& task, std::int64_t horizon) {
  Config config;
  config.task = task;
  config.obs = "pixels";
  config.pixel_size = kSide;
  config.horizon = horizon;
  config.envs_per_shard = kEnvs;
  config.start_steps = 1'000'000;
  config.replay = 100 * kShards;
  return config;
}

struct Row {
  Bytes frame;
  std::vector<float> action;
  float reward = 0;
  std::uint8_t ending = 0;
};

// One environment alone with uniform random actions: the rows that it should leave behind.
std::vector<Row> play(const Config& config, std::uint32_t index, int steps) {
  const auto env =
      env::make_pixel_env(config.task, 1, env_options(config), {.width = kSide, .height = kSide});
  std::uint64_t episode = 0;
  const auto start = [&] {
    Stream stream(kSeed, Purpose::kEnvReset, index, episode++);
    env->reset(0, stream);
  };
  const auto frame = [&] { return Bytes(env->frames().begin(), env->frames().end()); };
  start();
  std::vector<Row> rows;
  for (int step = 0; step < steps; ++step) {
    Row now;
    now.frame = frame();
    Stream stream(kSeed, Purpose::kWarmUpAction, index,
                  static_cast<std::uint64_t>(step) * kDecisions);
    for (std::size_t i = 0; i < env->spec().action_size; ++i) {
      now.action.push_back(static_cast<float>(stream.uniform(-1, 1)));
    }
    env->step(now.action);
    now.reward = env->rewards()[0];
    now.ending = env->terminal()[0] != 0 ? 1 : env->truncated()[0] != 0 ? 2 : 0;
    rows.push_back(now);
    if (now.ending == 0) continue;
    rows.push_back({frame(), std::vector<float>(env->spec().action_size), 0, 3});
    start();
  }
  return rows;
}

struct Acting {
  explicit Acting(const Config& the_config)
      : config(the_config),
        training(comm::Communicator::world(), kShards, train::ReduceMode::kOrdered, kSeed),
        rollout((declare(), config), training.context()),
        agent(config, 1, 1, training.context(), 2, config.envs_per_shard) {
    rollout.state(registry);
  }
  void declare() {
    for (const std::string name : {"episode_return", "episode_length", "unstable_episodes"}) {
      training.metrics().declare({"train/" + name, "", "", "mean", ""});
    }
  }
  std::map<std::string, std::string> state() const {
    return test::state_bytes(registry, training.plan().mine);
  }
  Config config;
  test::TrainingWorld training;
  Rollout rollout;
  Agent agent;  // never asked: actions are random
  store::StateRegistry registry;
};

using Pixels = env::Pictures;

TEST_F(Pixels, EveryFrameIsStoredOnceAndAnEpisodesLastToo) {
  constexpr int kSteps = 20;
  int falls = 0, limits = 0;
  for (const auto& [task, horizon] : {std::pair{"pendulum", 7}, std::pair{"hopper", 0}}) {
    Acting now(acting(task, horizon));
    for (std::uint64_t k = 0; k < kSteps; ++k) now.rollout.step(now.agent, k * kDecisions);
    ASSERT_EQ(now.rollout.observer().shape().channels, 9) << "three pictures a decision";
    const auto state = now.state();
    const std::size_t width = now.rollout.observer().frame_size();
    const std::size_t actions = now.rollout.spec().action_size;
    for (const std::size_t shard : now.training.plan().mine) {
      const std::string at = "@" + std::to_string(shard);
      const auto frames = test::values_of<std::uint8_t>(state, "replay/frame" + at);
      const auto owners = test::values_of<std::uint32_t>(state, "replay/environment" + at);
      const auto endings = test::values_of<std::uint8_t>(state, "replay/terminal" + at);
      const auto rewards = test::values_of<float>(state, "replay/reward" + at);
      const auto done = test::values_of<float>(state, "replay/action" + at);
      for (std::uint32_t e = 0; e < kEnvs; ++e) {
        const auto played = play(now.config, static_cast<std::uint32_t>(shard) * kEnvs + e, kSteps);
        std::size_t k = 0;
        for (std::size_t slot = 0; slot < owners.size(); ++slot) {
          if (owners[slot] != e) continue;
          ASSERT_LT(k, played.size());
          const Row& row = played[k++];
          const auto begin = frames.begin() + static_cast<std::ptrdiff_t>(slot * width);
          EXPECT_EQ(Bytes(begin, begin + static_cast<std::ptrdiff_t>(width)), row.frame) << k;
          EXPECT_EQ(endings[slot], row.ending);
          EXPECT_EQ(rewards[slot], row.reward);
          EXPECT_EQ(done[slot * actions], row.action.front());
          falls += row.ending == 1 ? 1 : 0;
          limits += row.ending == 2 ? 1 : 0;
        }
        EXPECT_EQ(k, played.size());
      }
      EXPECT_EQ(test::values_of<std::uint64_t>(state, "replay/added" + at).front(),
                static_cast<std::uint64_t>(kSteps * kEnvs));
    }
  }
  EXPECT_GT(falls, 0);
  EXPECT_GT(limits, 0);
}

}  // namespace
}  // namespace tenfold::ddpg
