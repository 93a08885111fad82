// Minibatches of the replay memory: the same on any number of ranks, weighted as Schaul et al. 2016
// say.
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "ddpg/memory.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 4, kRows = 6;
constexpr std::size_t kHeld = 20;

Config prioritised() {
  Config config;
  config.replay = kShards * 32;
  config.sampling = "prioritised";
  config.per_alpha = 0.7;
  config.per_beta = 0.5;
  config.gamma = 0.5;
  return config;
}

env::Spec spec() {
  env::Spec facts;
  facts.observation_size = 2;
  facts.action_size = 1;
  return facts;
}

struct Filled {
  Filled(const comm::Communicator& communicator, const Config& the_config)
      : config(the_config),
        training(communicator, kShards, train::ReduceMode::kOrdered, 3),
        memory(config, spec(), training.context()) {
    const auto groups = static_cast<std::int64_t>(training.plan().local());
    for (at::Tensor* each :
         {&batch.reward, &batch.discount, &batch.weight, &batch.error, &batch.action}) {
      *each = at::zeros({groups, kRows, 1}, at::kFloat);
    }
    batch.observation = at::zeros({groups, kRows, 2}, at::kFloat);
    batch.next_observation = at::zeros({groups, kRows, 2}, at::kFloat);
    memory.state(registry);
    for (std::size_t i = 0; i < kHeld; ++i) add(i);
  }
  // The reward tells shard and number.
  void add(std::size_t number) {
    for (std::size_t k = 0; k < training.plan().local(); ++k) {
      const auto value = static_cast<float>(100 * training.plan().mine[k] + number);
      const std::array<float, 2> observation = {value, 1}, next = {value + 1, 1};
      const std::array<float, 1> action = {0};
      memory.add(k, observation, action, value, next, rl::Ending::kNone);
    }
  }
  // Sets each drawn transition's error to a function of what it is.
  static float error_of(float reward) { return 0.01F * reward + 0.5F; }
  void learn(std::uint64_t number) {
    memory.sample(batch, kRows, number, 0);
    for (std::int64_t i = 0; i < batch.reward.numel(); ++i) {
      batch.error.data_ptr<float>()[i] = -error_of(batch.reward.data_ptr<float>()[i]);
    }
    memory.update_priorities(batch);
  }
  std::vector<float> rows(const at::Tensor& block, std::size_t local_shard) const {
    const float* data = block.data_ptr<float>() + local_shard * kRows;
    return {data, data + kRows};
  }
  Config config;
  test::TrainingWorld training;
  Memory memory;
  Batch batch;
  store::StateRegistry registry;
};

TEST(Memory, PrioritisedMinibatchesDependOnTheShardNotOnTheRank) {
  Filled together(comm::Communicator::world(), prioritised());
  Filled alone(comm::Communicator::self(), prioritised());
  for (std::uint64_t number = 0; number < 9; ++number) {
    together.learn(number);
    alone.learn(number);
    for (const std::size_t shard : together.training.plan().mine) {
      const std::size_t k = together.training.plan().local_index(shard);
      EXPECT_EQ(together.rows(together.batch.reward, k), alone.rows(alone.batch.reward, shard));
      EXPECT_EQ(together.rows(together.batch.weight, k), alone.rows(alone.batch.weight, shard));
    }
  }
}

TEST(Memory, WeightsUndoThePriorities) {
  Filled filled(comm::Communicator::self(), prioritised());
  for (std::uint64_t number = 0; number < 40; ++number) filled.learn(number);
  filled.memory.sample(filled.batch, kRows, 40, 0.25);
  const double beta = 0.5 + 0.5 * 0.25;
  // Priorities as they must be: of all transitions ever drawn their error's, else the first, 1.
  std::vector<double> expected;
  double largest = 0;
  const auto state = test::state_bytes(filled.registry, filled.training.plan().mine);
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    const auto priorities =
        test::values_of<double>(state, "replay/priority@" + std::to_string(shard));
    double total = 0;
    for (std::size_t i = 0; i < kHeld; ++i) {
      const float error = Filled::error_of(static_cast<float>(100 * shard + i));
      const double learned = std::pow(static_cast<double>(error) + 1e-6, 0.7);
      EXPECT_TRUE(std::abs(priorities[i] - learned) < 1e-12 || priorities[i] == 1.0);
      total += priorities[i];
    }
    for (const float reward : filled.rows(filled.batch.reward, shard)) {
      const auto slot = static_cast<std::size_t>(reward) - 100 * shard;
      expected.push_back(std::pow(kHeld * priorities[slot] / total, -beta));
      largest = std::max(largest, expected.back());
    }
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(filled.batch.weight.data_ptr<float>()[i], expected[i] / largest, 1e-6);
  }
}

TEST(Memory, NewTransitionsGetTheLargestPriority) {
  Filled filled(comm::Communicator::self(), prioritised());
  for (std::uint64_t number = 0; number < 40; ++number) filled.learn(number);
  filled.add(kHeld);
  const auto state = test::state_bytes(filled.registry, filled.training.plan().mine);
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    const auto priorities =
        test::values_of<double>(state, "replay/priority@" + std::to_string(shard));
    EXPECT_EQ(priorities[kHeld], *std::max_element(priorities.begin(), priorities.end()));
  }
}

TEST(Memory, APrioritisedMemoryGoesOnFromWhatWasSaved) {
  Filled unbroken(comm::Communicator::self(), prioritised());
  Filled stopped(comm::Communicator::self(), prioritised());
  for (std::uint64_t number = 0; number < 5; ++number) {
    unbroken.learn(number);
    stopped.learn(number);
  }
  Filled resumed(comm::Communicator::self(), prioritised());
  for (std::size_t f = 0; f < resumed.registry.fields().size(); ++f) {
    const store::StateField& from = stopped.registry.fields()[f];
    const store::StateField& to = resumed.registry.fields()[f];
    std::uint64_t count = 1;
    for (const std::uint64_t extent : from.shape) count *= extent;
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      std::memcpy(to.data(shard), from.data(shard), count * store::dtype_size(from.dtype));
    }
  }
  resumed.registry.after_load();
  for (std::uint64_t number = 5; number < 12; ++number) {
    unbroken.learn(number);
    resumed.learn(number);
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      EXPECT_EQ(unbroken.rows(unbroken.batch.reward, shard),
                resumed.rows(resumed.batch.reward, shard));
      EXPECT_EQ(unbroken.rows(unbroken.batch.weight, shard),
                resumed.rows(resumed.batch.weight, shard));
    }
  }
}

}  // namespace
}  // namespace tenfold::ddpg
