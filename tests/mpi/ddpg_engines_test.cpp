// Whole updates on either engine: the same bits on any number of ranks, the same numbers on both.
#include <gtest/gtest.h>

#include <cmath>

#include "base/philox.hpp"
#include "ddpg/agent.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 4, kRows = 3, kUpdates = 3, kAction = 2;

struct Case {
  std::string name;
  ObservationShape observation;
  std::string batch_norm = "none";
  bool layer_norm = false;
};

const std::vector<Case> kCases = {{"states", 5},
                                  {"states, batch norm", 5, "paper"},
                                  {"states, layer norm", 5, "none", true},
                                  {"pictures", {11, 9, 6}},
                                  {"pictures, batch norm", {11, 9, 6}, "paper"},
                                  {"pictures, layer norm", {11, 9, 6}, "none", true}};

Config config_of(const Case& each, const std::string& engine) {
  Config config;
  config.actor_net = config.critic_net = {12, 9};
  config.action_layer = 2;
  config.conv_filters = {4, 5};
  config.batch_norm = each.batch_norm;
  config.layer_norm = each.layer_norm;
  config.final_init = 0;
  config.engine = engine;
  return config;
}

// Shard by shard, so that it does not matter who holds them.
void fill(Batch& batch, const train::ShardPlan& plan) {
  std::uint32_t index = 0;
  for (const at::Tensor* each :
       {&batch.observation, &batch.action, &batch.reward, &batch.next_observation}) {
    const std::int64_t size = each->numel() / static_cast<std::int64_t>(plan.local());
    for (std::size_t local = 0; local < plan.local(); ++local) {
      base::Stream stream(5, base::Purpose::kTest, index, plan.mine[local]);
      const auto begin = static_cast<std::int64_t>(local) * size;
      for (std::int64_t i = begin; i < begin + size; ++i) {
        if (each->scalar_type() == at::kByte) {
          each->data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(stream.below(256));
        } else {
          each->data_ptr<float>()[i] = static_cast<float>(stream.uniform(-1, 1));
        }
      }
    }
    ++index;
  }
  batch.discount.fill_(0.9);
}

std::map<std::string, std::string> updated(const Case& each, const std::string& engine,
                                           const comm::Communicator& communicator) {
  const Config config = config_of(each, engine);
  test::TrainingWorld training(communicator, kShards);
  Agent agent(config, each.observation, kAction, training.context(), kRows, 1);
  fill(agent.batch(), training.plan());
  for (int i = 0; i < kUpdates; ++i) agent.update();
  store::StateRegistry registry;
  agent.state(registry);
  return test::state_bytes(registry, {});
}

TEST(DdpgEngines, GiveTheSameBitsOnAnyNumberOfRanks) {
  for (const Case& each : kCases) {
    for (const std::string engine : {"fused", "torch"}) {
      EXPECT_EQ(updated(each, engine, comm::Communicator::world()),
                updated(each, engine, comm::Communicator::self()))
          << each.name << ", " << engine;
    }
  }
}

// Parameters move by at most a step size each update; rounding turns a gradient near 0, and with it
// Adam's step, round. All in all the engines stay a thousandth of the way apart.
TEST(DdpgEngines, MoveTheNetworksAlike) {
  for (const Case& each : kCases) {
    const auto fused = updated(each, "fused", comm::Communicator::world());
    const auto torch = updated(each, "torch", comm::Communicator::world());
    double apart = 0, moved = 0;
    for (const auto& [key, bytes] : fused) {
      ASSERT_TRUE(torch.contains(key)) << key;
      // Without effect, as the batch norm behind it takes constants out: nothing but rounding.
      if (!key.starts_with("model/") || key.ends_with("input_norm.bias")) continue;
      const auto ours = test::values_of<float>(fused, key);
      const auto theirs = test::values_of<float>(torch, key);
      ASSERT_EQ(ours.size(), theirs.size()) << key;
      for (std::size_t i = 0; i < ours.size(); ++i) {
        apart += std::pow(ours[i] - theirs[i], 2);
        moved += std::pow(kUpdates * Config().lr_critic, 2);
      }
    }
    EXPECT_LE(std::sqrt(apart / moved), 1e-3) << each.name;
  }
}

}  // namespace
}  // namespace tenfold::ddpg
