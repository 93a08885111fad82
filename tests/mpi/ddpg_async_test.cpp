// Ranks that share parameters without locks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ddpg/experiment.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"
#include "train/replica_check.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 4;  // one environment each
constexpr std::uint64_t kTotal = 30 * kShards;

Config learning(const std::string& topology) {
  Config config;
  config.task = "pendulum";
  config.topology = topology;
  config.horizon = 11;
  config.total_steps = static_cast<std::int64_t>(kTotal);
  config.start_steps = 3 * kShards;
  config.updates_per_step = 0.5;
  config.batch = 3 * kShards;
  config.replay = 12 * kShards;  // wraps
  config.actor_net = config.critic_net = {10, 8};
  config.critic_l2 = 1e-2;
  config.batch_norm = "paper";
  config.eval_episodes = 3;
  return config;
}

class Session {
 public:
  Session(const comm::Communicator& ranks, const Config& config)
      : config_(config), training_(ranks, kShards), experiment_(config_) {
    experiment_.build(training_.context());
    experiment_.state(registry_);
  }
  void go_to(std::uint64_t step) {
    train::RunContext& context = training_.context();
    while (context.step < step) context.step += experiment_.step(context);
  }
  void evaluate() { experiment_.evaluate(training_.context()); }
  // What a checkpoint moves from one process to another.
  void load(const Session& other) {
    other.registry_.before_save();
    for (std::size_t f = 0; f < registry_.fields().size(); ++f) {
      const store::StateField& from = other.registry_.fields()[f];
      std::uint64_t count = store::dtype_size(from.dtype);
      for (const std::uint64_t extent : from.shape) count *= extent;
      const bool sharded = from.scope == store::Scope::kSharded;
      for (const std::size_t shard :
           sharded ? training_.plan().mine : std::vector<std::size_t>{0}) {
        std::memcpy(registry_.fields()[f].data(shard), from.data(shard), count);
      }
    }
    registry_.after_load();
    training_.context().step = other.steps();
  }
  std::uint64_t steps() const { return training_.context().step; }
  const store::StateRegistry& registry() const { return registry_; }
  train::Metrics& metrics() { return training_.metrics(); }
  std::map<std::string, std::string> state() const {
    return test::state_bytes(registry_, training_.plan().mine);
  }
  std::int64_t updates() const {
    return test::values_of<std::int64_t>(state(), "optimizer/critic/step").front();
  }

 private:
  Config config_;
  test::TrainingWorld training_;
  Experiment experiment_;
  store::StateRegistry registry_;
};

TEST(Async, OneRankAloneHasTheBitsOfSymmetric) {
  Session symmetric(comm::Communicator::self(), learning("symmetric"));
  Session shared(comm::Communicator::self(), learning("async"));
  symmetric.go_to(kTotal);
  shared.go_to(kTotal);
  EXPECT_EQ(shared.steps(), kTotal);
  const auto expected = symmetric.state();
  const auto state = shared.state();
  ASSERT_EQ(state.size(), expected.size());
  for (const auto& [name, bytes] : expected) EXPECT_TRUE(state.at(name) == bytes) << name;
}

TEST(Async, OneRankAloneGoesOnFromWhatWasSaved) {
  Session unbroken(comm::Communicator::self(), learning("async"));
  Session stopped(comm::Communicator::self(), learning("async"));
  stopped.go_to(kTotal / 2);
  Session resumed(comm::Communicator::self(), learning("async"));
  resumed.load(stopped);
  unbroken.go_to(kTotal);
  resumed.go_to(kTotal);
  const auto expected = unbroken.state();
  const auto state = resumed.state();
  for (const auto& [name, bytes] : expected) EXPECT_TRUE(state.at(name) == bytes) << name;
}

TEST(Async, RanksMakeTheirShareOfTheUpdatesAndMeetWithTheSameParameters) {
  const comm::Communicator world = comm::Communicator::world();
  Session session(world, learning("async"));
  session.evaluate();
  while (session.steps() < kTotal) {
    session.go_to(session.steps() + 1);
    train::check_replicas(world, session.registry());
  }
  session.evaluate();
  EXPECT_EQ(session.steps(), kTotal) << "the last block is a shorter one";
  // 27 rounds count, of 2 updates over all ranks; a rank's fraction of one stays due.
  const std::int64_t each = 27 * 2 / world.size();
  EXPECT_EQ(session.updates(), each * world.size());
  session.metrics().publish(session.steps());
  const double staleness = session.metrics().last("topology/staleness_updates");
  if (world.is_root()) {
    EXPECT_GE(staleness, 0);
    EXPECT_LT(staleness, static_cast<double>(each * world.size()));
    if (world.size() == 1) {
      EXPECT_EQ(staleness, 0);
    }
  }
}

TEST(Async, MinibatchesKeepTheirSizeAndMustBeSplit) {
  const comm::Communicator world = comm::Communicator::world();
  if (world.size() == 4) GTEST_SKIP() << "one shard a rank takes any";
  Config config = learning("async");
  config.batch = 7;
  EXPECT_THROW(Session(world, config), base::Error);
}

}  // namespace
}  // namespace tenfold::ddpg
