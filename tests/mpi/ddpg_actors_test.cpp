// Acting and learning ranks against one rank that does both.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ddpg/experiment.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"
#include "train/replica_check.hpp"
#include "train/roles.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 8, kEnvs = 2;
constexpr std::uint64_t kRound = kShards * kEnvs, kTotal = 30 * kRound;
constexpr double kRatio = 0.2;  // 3.2 updates a round

Config learning() {
  Config config;
  config.task = "pendulum";
  config.horizon = 11;
  config.envs_per_shard = kEnvs;
  config.total_steps = static_cast<std::int64_t>(kTotal);
  config.start_steps = 3 * kRound;
  config.updates_per_step = kRatio;
  config.batch = 2 * kShards;
  config.replay = 12 * kShards;  // wraps
  config.actor_net = config.critic_net = {10, 8};
  config.batch_norm = "paper";
  config.eval_episodes = 3;
  return config;
}

Config with_actors(std::int64_t block, double band) {
  Config config = learning();
  config.topology = "actors";
  config.block = block;
  config.ratio_band = band;
  return config;
}

// A run of its own on these ranks, the first of which learn.
class Session {
 public:
  Session(const comm::Communicator& ranks, int learners, const Config& config)
      : config_(config), metrics_(ranks.duplicate()), context_{ranks, {},      1,
                                                               {},    nullptr, &metrics_} {
    context_.roles = train::assign_roles(
        ranks, options(), [=](int) { return learners; }, &context_.shards);
    const comm::Communicator group = context_.roles ? context_.roles->group : ranks;
    reducer_ = std::make_unique<train::GradientReducer>(group.duplicate(), context_.shards,
                                                        train::ReduceMode::kOrdered);
    context_.reducer = reducer_.get();
    registry_.set_copies_count(learner());
    experiment_.build(context_);
    experiment_.state(registry_);
  }
  static train::RunOptions options() {
    train::RunOptions options;
    options.virtual_shards = kShards;
    return options;
  }
  bool learner() const { return !context_.roles || context_.roles->learner(context_.world.rank()); }
  void go_to(std::uint64_t step) {
    while (context_.step < step) context_.step += experiment_.step(context_);
  }
  void evaluate() { experiment_.evaluate(context_); }
  std::uint64_t steps() const { return context_.step; }
  const store::StateRegistry& registry() const { return registry_; }
  train::Metrics& metrics() { return metrics_; }
  std::map<std::string, std::string> state() const {
    return test::state_bytes(registry_, context_.shards.mine);
  }
  std::int64_t updates() const {
    return test::values_of<std::int64_t>(state(), "optimizer/critic/step").front();
  }

 private:
  Config config_;
  train::Metrics metrics_;
  train::RunContext context_;
  std::unique_ptr<train::GradientReducer> reducer_;
  Experiment experiment_{config_};
  store::StateRegistry registry_;
};

// Of what this rank holds (learners: all but environments; actors: environments) every byte.
void expect_equal_parts(const Session& parts, const Session& whole) {
  const auto expected = whole.state();
  int compared = 0;
  for (const auto& [name, bytes] : parts.state()) {
    const bool sharded = name.find('@') != std::string::npos;
    if (!sharded && !parts.learner()) continue;
    if (name.ends_with("_return") || name == "progress/evaluations") continue;
    EXPECT_TRUE(bytes == expected.at(name)) << name;
    ++compared;
  }
  EXPECT_GT(compared, 3);
}

TEST(Actors, InLockstepEveryBitIsThatOfOneRank) {
  const comm::Communicator world = comm::Communicator::world();
  if (world.size() == 1) GTEST_SKIP() << "needs a rank for each role";
  Session alone(comm::Communicator::self(), 1, learning());
  alone.go_to(kTotal);
  for (int learners = 1; learners < world.size(); ++learners) {
    if (kShards % learners != 0) continue;
    Session together(world, learners, with_actors(learners, 0));
    together.evaluate();  // in between, as a run does
    together.go_to(kTotal / 2);
    together.evaluate();
    together.go_to(kTotal);
    EXPECT_EQ(together.steps(), kTotal);
    expect_equal_parts(together, alone);
  }
}

TEST(Actors, RunFreelyWithinTheBand) {
  const comm::Communicator world = comm::Communicator::world();
  if (world.size() == 1) GTEST_SKIP() << "needs a rank for each role";
  constexpr double kBand = 3 * kRound;
  for (int learners = 1; learners < std::min(3, world.size()); ++learners) {
    Session run(world, learners, with_actors(4, kBand));
    run.go_to(kTotal);
    EXPECT_EQ(run.steps(), kTotal) << "the last block is a shorter one";
    train::check_replicas(world, run.registry());
    run.metrics().publish(run.steps());
    // 27 rounds count after 3 of warm-up.
    if (run.learner()) {
      EXPECT_EQ(run.updates(), static_cast<std::int64_t>(27 * kRound * kRatio));
    }
    EXPECT_LT(run.metrics().last("topology/backlog"), 1 + kRatio * (kBand + kRound));
    EXPECT_GE(run.metrics().last("topology/staleness_updates"), 0);
    EXPECT_GT(run.metrics().last("topology/blocks"), 0);
    EXPECT_LE(run.metrics().last("topology/acting_wait"), 1);
  }
}

TEST(Actors, WithoutUpdatesTheyOnlyFillTheMemory) {
  const comm::Communicator world = comm::Communicator::world();
  if (world.size() == 1) GTEST_SKIP() << "needs a rank for each role";
  Config config = with_actors(5, 0);
  config.updates_per_step = 0;
  Session run(world, 1, config);
  run.go_to(10 * kRound);
  run.metrics().publish(run.steps());
  EXPECT_EQ(run.metrics().last("train/replay_fill"), (10 + 12) / 2) << "of two blocks, then full";
  EXPECT_EQ(run.updates(), 0);
}

TEST(Actors, MoreRanksThanShardsAreRefused) {
  const comm::Communicator world = comm::Communicator::world();
  if (world.size() < 4) GTEST_SKIP() << "needs more ranks than the 2 shards";
  Config config = with_actors(1, 0);
  config.batch = 2;
  train::Metrics metrics(world.duplicate());
  train::RunContext context{world, {}, 1, {}, nullptr, &metrics};
  train::RunOptions options;
  options.virtual_shards = 2;
  context.roles = train::assign_roles(
      world, options, [](int) { return 1; }, &context.shards);
  train::GradientReducer reducer(world.duplicate(), context.shards, train::ReduceMode::kOrdered);
  context.reducer = &reducer;
  Experiment experiment(config);
  try {
    experiment.build(context);
    ADD_FAILURE() << "4 ranks shared 2 shards";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.what(), testing::HasSubstr("4 ranks for 2 virtual shards"));
  }
}

TEST(LearningRanks, AskForARankOfEachRole) {
  const auto refusal = [](std::int64_t learners, int ranks) -> std::string {
    Config config;
    config.topology = "actors";
    config.learners = learners;
    try {
      return std::to_string(learning_ranks(config, ranks));
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      return error.what();
    }
  };
  EXPECT_EQ(refusal(1, 2), "1");
  EXPECT_EQ(refusal(3, 8), "3");
  EXPECT_THAT(refusal(1, 1), testing::HasSubstr("mpirun -n 2"));
  EXPECT_THAT(refusal(4, 4), testing::HasSubstr("--learners 1 to 3"));
  EXPECT_EQ(learning_ranks(Config(), 5), 5);
}

}  // namespace
}  // namespace tenfold::ddpg
