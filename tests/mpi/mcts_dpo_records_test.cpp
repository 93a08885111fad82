// What a round's work has given: on all ranks alike, through a checkpoint, on any number of ranks.
#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"
#include "mcts_dpo/modes/round_records.hpp"
#include "shared_folder.hpp"
#include "store/checkpoint_store.hpp"

namespace tenfold::mcts_dpo {
namespace {

using comm::Communicator;
using RoundRecordsTest = test::SharedFolderTest;

constexpr std::size_t kQuestions = 11, kShards = 8;

Bytes bytes_of(std::size_t position, std::size_t stage) {
  return Bytes(1 + 100 * stage + position, static_cast<std::byte>(16 * stage + position));
}

struct Held {
  explicit Held(const Communicator& world)
      : shards(train::make_shard_plan(kShards, world.size(), world.rank())),
        records(kQuestions, shards) {
    registry.identity("task", "records");
    records.state(registry, "search/records");
  }
  /// Questions dealt from the end: those below 4 in the first call, below 8 in the second; 9 is
  /// under way, further with every call.
  void gather(const Communicator& world) {
    for (std::size_t call = 0; call < 2; ++call) {
      std::vector<Record> finished, unfinished;
      for (std::size_t p = 4 * call; p < 4 * (call + 1); ++p) {
        if ((kQuestions - p) % static_cast<std::size_t>(world.size()) ==
            static_cast<std::size_t>(world.rank())) {
          finished.push_back({p, bytes_of(p, 0)});
        }
      }
      if (world.rank() == world.size() - 1) unfinished.push_back({9, bytes_of(9, call)});
      records.gather(world, finished, unfinished);
    }
  }
  void check() const {
    ASSERT_EQ(records.done(), 8U);
    for (std::size_t p = 0; p < kQuestions; ++p) {
      EXPECT_EQ(records.has(p), p < 8);
      const auto found = records.finished(p);
      const Bytes expected = p < 8 ? bytes_of(p, 0) : Bytes{};
      EXPECT_TRUE(std::equal(found.begin(), found.end(), expected.begin(), expected.end()));
    }
    ASSERT_EQ(records.unfinished().size(), 1U);
    EXPECT_EQ(records.unfinished().front().position, 9U);
    EXPECT_EQ(records.unfinished().front().bytes, bytes_of(9, 1));
  }
  store::ShardMap map() const { return {kShards, shards.mine}; }

  train::ShardPlan shards;
  RoundRecords records;
  store::StateRegistry registry;
};

TEST_F(RoundRecordsTest, AreOnAllRanksAlike) {
  Held held(world_);
  held.gather(world_);
  held.check();
  held.records.clear();
  EXPECT_EQ(held.records.done(), 0U);
  EXPECT_TRUE(held.records.unfinished().empty());
}

TEST_F(RoundRecordsTest, AQuestionIsDoneOnce) {
  Held held(world_);
  const std::vector<Record> mine{{3, bytes_of(3, 0)}};
  held.records.gather(world_, world_.is_root() ? mine : std::vector<Record>{}, {});
  EXPECT_THROW(held.records.gather(world_, world_.is_root() ? mine : std::vector<Record>{}, {}),
               base::Error);
}

TEST_F(RoundRecordsTest, GoThroughACheckpointOnAnyNumberOfRanks) {
  Held held(world_);
  held.gather(world_);
  store::CheckpointStore(world_, folder_ / "all", held.map(), {}).save(10, held.registry, {});
  Held again(world_);
  ASSERT_TRUE(
      store::CheckpointStore(world_, folder_ / "all", again.map(), {}).load_newest(again.registry));
  again.records.share_loaded(world_);
  again.check();
  if (!world_.is_root()) return;
  const Communicator self = Communicator::self();
  Held alone(self);
  ASSERT_TRUE(
      store::CheckpointStore(self, folder_ / "all", alone.map(), {}).load_newest(alone.registry));
  alone.records.share_loaded(self);
  alone.check();
}

}  // namespace
}  // namespace tenfold::mcts_dpo
