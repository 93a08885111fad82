// Ranks with roles: who gets the shards, and what a checkpoint of theirs holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/error.hpp"
#include "shared_folder.hpp"
#include "store/checkpoint_store.hpp"
#include "train/replica_check.hpp"
#include "train/roles.hpp"

namespace tenfold::train {
namespace {

using comm::Communicator;
using testing::HasSubstr;

constexpr std::size_t kShards = 8;

std::optional<Roles> roles_of(int learners, ShardPlan* plan, const RunOptions& options = {}) {
  return assign_roles(
      Communicator::world(), options, [=](int) { return learners; }, plan);
}

TEST(Roles, WithoutAWishAllRanksDoTheSame) {
  const Communicator world = Communicator::world();
  ShardPlan plan;
  if (kShards % static_cast<std::size_t>(world.size()) != 0) {
    EXPECT_THROW(assign_roles(world, {}, nullptr, &plan), comm::AgreedError);
    return;
  }
  EXPECT_FALSE(assign_roles(world, {}, nullptr, &plan).has_value());
  EXPECT_EQ(plan.local(), kShards / static_cast<std::size_t>(world.size()));
  EXPECT_FALSE(roles_of(world.size(), &plan).has_value());
}

TEST(Roles, LearnersShareTheShardsAndActorsHaveNone) {
  const Communicator world = Communicator::world();
  for (int learners = 1; learners < world.size(); ++learners) {
    ShardPlan plan;
    if (kShards % static_cast<std::size_t>(learners) != 0) {
      EXPECT_THROW(roles_of(learners, &plan), comm::AgreedError);
      continue;
    }
    const auto roles = roles_of(learners, &plan);
    ASSERT_TRUE(roles.has_value());
    EXPECT_EQ(roles->learners, learners);
    EXPECT_EQ(roles->actors, world.size() - learners);
    const bool learner = world.rank() < learners;
    EXPECT_EQ(roles->group.size(), learner ? learners : world.size() - learners);
    EXPECT_EQ(roles->group.rank(), learner ? world.rank() : world.rank() - learners);
    EXPECT_EQ(plan.world, learners);
    EXPECT_EQ(plan.local(), learner ? kShards / static_cast<std::size_t>(learners) : 0);
  }
}

TEST(Roles, WhatDoesNotWorkWithThemIsRefused) {
  const Communicator world = Communicator::world();
  if (world.size() == 1) GTEST_SKIP() << "one rank has no roles";
  ShardPlan plan;
  RunOptions zero, local;
  zero.zero = 1;
  local.checkpoint_local = "somewhere";
  for (const auto& [options, name] : {std::pair(zero, "--zero 1"), {local, "--checkpoint-local"}}) {
    try {
      roles_of(1, &plan, options);
      ADD_FAILURE() << name;
    } catch (const comm::AgreedError& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
}

TEST(Roles, ShardsAreSpreadWithoutAGapOverAnyNumberOfRanks) {
  for (int ranks = 1; ranks < 12; ++ranks) {
    std::vector<int> owners(kShards, 0);
    for (int rank = 0; rank < ranks; ++rank) {
      const ShardPlan plan = spread_shards(kShards, ranks, rank);
      for (const std::size_t shard : plan.mine) {
        ++owners[shard];
        EXPECT_EQ(plan.mine[plan.local_index(shard)], shard);
      }
    }
    EXPECT_EQ(owners, std::vector<int>(kShards, 1));
  }
}

// A parameter on all ranks that only learners keep up to date, a memory on learners, environments
// on actors.
struct State {
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(const ShardPlan& learning, const ShardPlan& acting, bool learner) : mine(learning.mine) {
    registry.set_copies_count(learner);
    registry.replicated("model/weight", &weight);
    registry.sharded<double>("replay/rows", {}, [this](std::size_t s) { return &memory[s]; });
    registry.hold(acting.mine);
    registry.sharded<double>("env/state", {2}, [this](std::size_t s) { return env[s].data(); });
    registry.hold(std::nullopt);
    registry.sharded<double>("replay/more", {}, [this](std::size_t s) { return &more[s]; });
  }
  double weight = 0;
  std::array<double, kShards> memory{}, more{};
  std::array<std::array<double, 2>, kShards> env{};
  std::vector<std::size_t> mine;
  store::StateRegistry registry;
};

class RolesCheckpoint : public test::SharedFolderTest {
 protected:
  store::CheckpointStore store(const State& state) {
    return {world_.duplicate(), folder_, {kShards, state.mine}, {}};
  }
  // The plans of a split; no learners at all: one world of equals.
  State state(int learners) {
    const int ranks = world_.size(), rank = world_.rank();
    if (learners == ranks) {
      const ShardPlan all = spread_shards(kShards, ranks, rank);
      return {all, all, true};
    }
    const bool learner = rank < learners;
    ShardPlan learning = spread_shards(kShards, learners, learner ? rank : 0);
    ShardPlan acting = spread_shards(kShards, ranks - learners, learner ? 0 : rank - learners);
    (learner ? acting : learning).mine.clear();
    return {learning, acting, learner};
  }
};

TEST_F(RolesCheckpoint, MovesBetweenSplitsOfTheRanks) {
  const int ranks = world_.size();
  for (int from = 1; from <= ranks; ++from) {
    State saved = state(from);
    const bool counts = saved.registry.copies_count();
    saved.weight = counts ? 0.5 : -1;  // what actors hold lags behind
    for (const store::StateField& field : saved.registry.fields()) {
      if (field.scope != store::Scope::kSharded) continue;
      const double base = field.name == "env/state"     ? 1000
                          : field.name == "replay/rows" ? 2000
                                                        : 3000;
      for (const std::size_t shard : store::held_shards(field, saved.mine)) {
        static_cast<double*>(field.data(shard))[0] = base + static_cast<double>(shard);
      }
    }
    check_replicas(world_, saved.registry);
    store(saved).save(static_cast<std::uint64_t>(from), saved.registry, {});
    for (int to = 1; to <= ranks; ++to) {
      State loaded = state(to);
      ASSERT_TRUE(store(loaded).load_newest(loaded.registry).has_value());
      EXPECT_EQ(loaded.weight, 0.5) << "on every rank";
      for (const std::size_t shard : loaded.mine) {
        EXPECT_EQ(loaded.memory[shard], 2000.0 + static_cast<double>(shard));
        EXPECT_EQ(loaded.more[shard], 3000.0 + static_cast<double>(shard));
      }
      const store::StateField& env = loaded.registry.fields()[2];
      for (const std::size_t shard : store::held_shards(env, loaded.mine)) {
        EXPECT_EQ(loaded.env[shard][0], 1000.0 + static_cast<double>(shard));
      }
    }
  }
}

TEST_F(RolesCheckpoint, AShardOfAFieldThatNobodyHoldsIsABug) {
  State broken = state(world_.size());
  double lost = 0;
  broken.registry.hold(std::vector<std::size_t>{0});
  broken.registry.sharded<double>("env/lost", {}, [&](std::size_t) { return &lost; });
  EXPECT_THROW(store(broken).save(1, broken.registry, {}), base::Error);
}

TEST_F(RolesCheckpoint, LearnersThatDifferAreStillFound) {
  if (world_.size() < 3) GTEST_SKIP() << "needs two learners and an actor";
  State state_now = state(2);
  state_now.weight = world_.rank();
  EXPECT_THROW(check_replicas(world_, state_now.registry), comm::AgreedError);
}

}  // namespace
}  // namespace tenfold::train
