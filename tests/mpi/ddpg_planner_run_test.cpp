// Planners that play: the same episodes on any number of ranks, and those that a plain loop plays.
#include <gtest/gtest.h>

#include "ddpg/planner/planner_run.hpp"
#include "ddpg/rollout.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 4, kHorizon = 12, kEpisodes = 6;  // uneven over the shards
constexpr std::uint32_t kSeed = 5;

Config playing(const std::string& method) {
  Config config;
  config.task = "cartpole_swingup";
  config.horizon = kHorizon;
  config.eval_episodes = kEpisodes;
  config.planner = method;
  config.planner_lookahead = 0.1;
  config.planner_samples = 8;
  config.planner_random_episodes = 5;
  return config;
}

struct Playing {
  Playing(const comm::Communicator& communicator, const std::string& method)
      : config(playing(method)),
        training(communicator, kShards, train::ReduceMode::kOrdered, kSeed),
        run(config) {
    run.build(training.context());
    run.state(registry);
    while (training.context().step < run.total_steps()) {
      training.context().step += run.step(training.context());
    }
    run.evaluate(training.context());
  }
  double metric(const char* name) { return training.metrics().last(name); }
  Config config;
  test::TrainingWorld training;
  PlannerRun run;
  store::StateRegistry registry;
};

class PlannedEpisodes : public testing::TestWithParam<const char*> {};

TEST_P(PlannedEpisodes, DoNotDependOnTheNumberOfRanks) {
  Playing together(comm::Communicator::world(), GetParam());
  Playing alone(comm::Communicator::self(), GetParam());
  if (!comm::Communicator::world().is_root()) return;  // rows of metrics are rank 0's
  for (const char* name : {"eval/return", "eval/return_std", "eval/length", "eval/random_return",
                           "planner/episode_return"}) {
    EXPECT_EQ(together.metric(name), alone.metric(name)) << name;
  }
  EXPECT_GT(alone.metric("planner/cpu_seconds"), 0);
}

TEST_P(PlannedEpisodes, AreThoseOfAPlainLoop) {
  Playing playing_now(comm::Communicator::self(), GetParam());
  const Config& config = playing_now.config;
  const auto env = env::make_env(config.task, 1, env_options(config));
  const auto planner = make_planner(planner_options(config, env->spec()), [&](std::size_t rows) {
    return std::make_unique<EnvSimulation>(config.task, rows, env_options(config));
  });
  double sum = 0;
  for (std::uint32_t episode = 0; episode < kEpisodes; ++episode) {
    std::vector<double> memory(planner->memory_size()), state(env->state_size());
    planner->begin(memory);
    base::Stream start(kSeed, base::Purpose::kEvaluationReset, episode, 1);
    env->reset(0, start);
    for (std::uint64_t t = 0; t < kHorizon; ++t) {
      base::Stream stream(kSeed, base::Purpose::kPlanner, episode, t);
      std::vector<float> action(1);
      env->save(0, state);
      planner->decide(state, stream, memory, action);
      env->step(action);
      sum += env->rewards()[0];
    }
    EXPECT_EQ(env->truncated()[0], 1);
  }
  EXPECT_NEAR(playing_now.metric("eval/return"), sum / kEpisodes, 1e-9);
  EXPECT_EQ(playing_now.metric("eval/length"), kHorizon);
}

INSTANTIATE_TEST_SUITE_P(Planner, PlannedEpisodes, testing::Values("ilqg", "cem"));

}  // namespace
}  // namespace tenfold::ddpg
