// The experiment's step: when it updates, and that measuring in between changes nothing.
#include <gtest/gtest.h>

#include "ddpg/experiment.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 4;  // one environment each: 4 decisions per step

Config learning() {
  Config config;
  config.task = "pendulum";
  config.horizon = 12;
  config.start_steps = 16;
  config.updates_per_step = 0.25;
  config.batch = 2 * kShards;
  config.replay = 400;
  config.actor_net = config.critic_net = {10, 8};
  config.action_layer = 2;
  config.batch_norm = "paper";
  config.eval_episodes = 3;
  return config;
}

class Learning {
 public:
  explicit Learning(const Config& config)
      : config_(config), training_(comm::Communicator::world(), kShards), experiment_(config_) {
    experiment_.build(training_.context());
    experiment_.state(registry_);
  }
  void step(int times = 1) {
    train::RunContext& context = training_.context();
    for (int k = 0; k < times; ++k) context.step += experiment_.step(context);
  }
  void evaluate() { experiment_.evaluate(training_.context()); }
  std::uint64_t steps() { return training_.context().step; }
  std::int64_t updates() const {
    return test::values_of<std::int64_t>(state(), "optimizer/critic/step").front();
  }
  std::map<std::string, std::string> state() const {
    auto bytes = test::state_bytes(registry_, training_.plan().mine);
    // What evaluations themselves keep.
    std::erase_if(bytes, [](const auto& each) {
      return each.first.ends_with("_return") || each.first == "progress/evaluations";
    });
    return bytes;
  }

 private:
  Config config_;
  test::TrainingWorld training_;
  Experiment experiment_;
  store::StateRegistry registry_;
};

TEST(DdpgStep, UpdatesBeginAfterTheRandomDecisions) {
  Learning run(learning());
  run.step(4);
  EXPECT_EQ(run.steps(), 16U);
  EXPECT_EQ(run.updates(), 0) << "start-steps decisions are taken at random, without updates";
  run.step();
  EXPECT_EQ(run.updates(), 1);
  run.step(9);
  EXPECT_EQ(run.updates(), 10);
}

TEST(DdpgStep, UpdatesWaitUntilEveryShardHoldsItsRows) {
  Config config = learning();
  config.start_steps = 0;
  config.batch = 6 * kShards;
  Learning run(config);
  run.step(5);
  EXPECT_EQ(run.updates(), 0);
  run.step();
  EXPECT_EQ(run.updates(), 1);
}

TEST(DdpgStep, FractionsOfUpdatesAddUp) {
  Config config = learning();
  config.start_steps = 0;
  config.updates_per_step = 0.375;  // 1.5 a step
  Learning run(config);
  run.step(2);
  const std::int64_t begun = run.updates();
  run.step(8);
  EXPECT_EQ(run.updates() - begun, 12);
  config.updates_per_step = 0;
  Learning never(config);
  never.step(10);
  EXPECT_EQ(never.updates(), 0);
}

TEST(DdpgStep, EvaluationsInBetweenChangeNothing) {
  Learning plain(learning());
  Learning measured(learning());
  measured.evaluate();
  for (int k = 0; k < 12; ++k) {
    plain.step();
    measured.step();
    measured.evaluate();
  }
  EXPECT_EQ(plain.updates(), 8);
  const auto a = plain.state();
  const auto b = measured.state();
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, bytes] : a) EXPECT_TRUE(b.at(name) == bytes) << name;
}

}  // namespace
}  // namespace tenfold::ddpg
