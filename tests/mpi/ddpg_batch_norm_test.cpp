// Running averages of batch normalisation over shards and ranks, in closed form.
#include <gtest/gtest.h>

#include <cmath>

#include "ddpg/agent.hpp"
#include "support/exact_numbers.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kObservation = 3, kShards = 4, kRows = 4;
constexpr int kUpdates = 7;
constexpr double kMomentum = 0.25;

double observation(std::size_t row, std::size_t column) {
  return 3.0 * test::exact_number(11, 3 * row + column) + static_cast<double>(column);
}

// The same minibatch each time: after n updates a running average that began at a is
// (1 - 0.25)^n a + (1 - (1 - 0.25)^n) x, where x is the mean or the unbiased variance of all rows.
TEST(DdpgBatchNorm, RunningAveragesOfTheInputAreThoseOfTheWholeBatch) {
  for (const train::ReduceMode mode :
       {train::ReduceMode::kFast, train::ReduceMode::kOrdered, train::ReduceMode::kFixed}) {
    Config config;
    config.actor_net = config.critic_net = {8, 6};
    config.batch_norm = "paper";
    config.action_layer = 2;
    config.bn_momentum = kMomentum;
    config.tau = 0.5;
    test::TrainingWorld training(comm::Communicator::world(), kShards, mode);
    Agent agent(config, kObservation, 1, training.context(), kRows, 1);
    float* out = agent.batch().observation.data_ptr<float>();
    for (const std::size_t shard : training.plan().mine) {
      for (std::size_t row = shard * kRows; row < (shard + 1) * kRows; ++row) {
        for (std::size_t c = 0; c < kObservation; ++c)
          *out++ = static_cast<float>(observation(row, c));
      }
    }
    for (int n = 0; n < kUpdates; ++n) agent.update();

    store::StateRegistry registry;
    agent.state(registry);
    const auto state = test::state_bytes(registry, {});
    const double left = std::pow(1 - kMomentum, kUpdates);
    for (std::size_t c = 0; c < kObservation; ++c) {
      double mean = 0, variance = 0;
      constexpr std::size_t kAll = kShards * kRows;
      for (std::size_t r = 0; r < kAll; ++r) mean += observation(r, c) / kAll;
      for (std::size_t r = 0; r < kAll; ++r) {
        variance += (observation(r, c) - mean) * (observation(r, c) - mean) / (kAll - 1);
      }
      // The targets follow what the networks had after each update.
      double target_mean = 0, own_mean = 0;
      for (int n = 0; n < kUpdates; ++n) {
        own_mean += kMomentum * (mean - own_mean);
        target_mean += 0.5 * (own_mean - target_mean);
      }
      for (const std::string net : {"actor", "critic"}) {
        const auto value = [&](const std::string& prefix, const std::string& name) {
          return test::values_of<float>(state, prefix + net + "/input_norm." + name)[c];
        };
        EXPECT_NEAR(value("model/", "running_mean"), (1 - left) * mean, 2e-6) << net;
        EXPECT_NEAR(value("model/", "running_var"), left + (1 - left) * variance, 5e-6) << net;
        EXPECT_NEAR(value("model/target_", "running_mean"), target_mean, 2e-6) << net;
      }
    }
  }
}

// Section 3 for pictures: one mean and variance of each channel, over all rows and pixels.
TEST(DdpgBatchNorm, RunningAveragesOfPicturesAreThoseOfAllPixels) {
  constexpr std::int64_t kHeight = 4, kWidth = 3, kChannels = 2, kPixels = kHeight * kWidth;
  const auto byte = [](std::size_t row, std::int64_t i) {
    return static_cast<std::uint8_t>((37 * row + 11 * static_cast<std::size_t>(i)) % 251);
  };
  for (const std::string engine : {"fused", "torch"}) {
    Config config;
    config.actor_net = config.critic_net = {8, 6};
    config.conv_filters = {3};
    config.batch_norm = "paper";
    config.action_layer = 2;
    config.bn_momentum = kMomentum;
    config.engine = engine;
    test::TrainingWorld training(comm::Communicator::world(), kShards);
    Agent agent(config, {kHeight, kWidth, kChannels}, 1, training.context(), kRows, 1);
    auto* out = agent.batch().observation.data_ptr<std::uint8_t>();
    for (const std::size_t shard : training.plan().mine) {
      for (std::size_t row = shard * kRows; row < (shard + 1) * kRows; ++row) {
        for (std::int64_t i = 0; i < kPixels * kChannels; ++i) *out++ = byte(row, i);
      }
    }
    agent.update();
    store::StateRegistry registry;
    agent.state(registry);
    const auto state = test::state_bytes(registry, {});
    for (std::int64_t c = 0; c < kChannels; ++c) {
      constexpr double kAll = kShards * kRows * kPixels;
      double mean = 0, variance = 0;
      const auto for_all = [&](const auto& body) {
        for (std::size_t row = 0; row < kShards * kRows; ++row) {
          for (std::int64_t i = c; i < kPixels * kChannels; i += kChannels) {
            body(byte(row, i) / 255.0);
          }
        }
      };
      for_all([&](double value) { mean += value / kAll; });
      for_all([&](double value) { variance += (value - mean) * (value - mean) / (kAll - 1); });
      const auto at = static_cast<std::size_t>(c);
      for (const std::string net : {"actor", "critic"}) {
        const std::string prefix = "model/" + net + "/input_norm.";
        EXPECT_NEAR(test::values_of<float>(state, prefix + "running_mean")[at], kMomentum * mean,
                    1e-6)
            << engine;
        EXPECT_NEAR(test::values_of<float>(state, prefix + "running_var")[at],
                    1 - kMomentum + kMomentum * variance, 1e-6)
            << engine;
      }
    }
  }
}

// mu acts with running averages: one row's action must not depend on its neighbours.
TEST(DdpgBatchNorm, ActingUsesRunningAverages) {
  Config config;
  config.actor_net = config.critic_net = {8, 6};
  config.batch_norm = "paper";
  config.final_init = 0;
  test::TrainingWorld training(comm::Communicator::world(), kShards);
  Agent agent(config, kObservation, 1, training.context(), kRows, 3);
  const auto act = [&](float neighbours) {
    const at::Tensor& input = agent.act_input();
    for (std::int64_t g = 0; g < input.size(0); ++g) {
      float* rows = input.data_ptr<float>() + g * input.stride(0);
      for (int i = 0; i < 3 * kObservation; ++i) rows[i] = i < kObservation ? 0.5F : neighbours;
    }
    const at::Tensor& output = agent.act();
    return *output.data_ptr<float>();
  };
  const float alone = act(0.0F);
  EXPECT_EQ(act(100.0F), alone);
  EXPECT_NE(alone, 0.0F);
}

}  // namespace
}  // namespace tenfold::ddpg
