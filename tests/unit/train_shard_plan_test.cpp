#include <gtest/gtest.h>

#include "base/error.hpp"
#include "train/shard_plan.hpp"

namespace tenfold::train {
namespace {

TEST(ShardPlan, RanksShareTheShardsEvenlyAndWithoutOverlap) {
  for (const std::int64_t shards : {1, 2, 6, 8, 12, 64}) {
    for (int world = 1; world <= shards; ++world) {
      if (shards % world != 0) continue;
      std::vector<int> owners(static_cast<std::size_t>(shards), 0);
      for (int rank = 0; rank < world; ++rank) {
        const ShardPlan plan = make_shard_plan(shards, world, rank);
        EXPECT_EQ(plan.shards, static_cast<std::size_t>(shards));
        EXPECT_EQ(plan.world, world);
        EXPECT_EQ(plan.rank, rank);
        ASSERT_EQ(plan.local(), static_cast<std::size_t>(shards / world));
        for (std::size_t k = 0; k < plan.local(); ++k) {
          const std::size_t shard = plan.mine[k];
          ++owners.at(shard);
          EXPECT_EQ(static_cast<int>(shard) % world, rank);
          EXPECT_EQ(plan.local_index(shard), k);
        }
      }
      for (const int count : owners) EXPECT_EQ(count, 1) << shards << " shards, " << world;
    }
  }
}

TEST(ShardPlan, OfEightOnFourRanks) {
  EXPECT_EQ(make_shard_plan(8, 4, 1).mine, (std::vector<std::size_t>{1, 5}));
  EXPECT_EQ(make_shard_plan(8, 4, 3).mine, (std::vector<std::size_t>{3, 7}));
}

void expect_refused(std::int64_t shards, int world, const std::string& message,
                    const std::string& hint) {
  try {
    make_shard_plan(shards, world, 0);
    ADD_FAILURE() << shards << " shards on " << world << " ranks were accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_EQ(error.message(), message);
    EXPECT_EQ(error.hint(), hint);
  }
}

TEST(ShardPlan, UnevenOnesAreRefusedWithTheCountsThatWork) {
  expect_refused(8, 3, "3 ranks cannot share 8 virtual shards evenly (parallel.virtual-shards)",
                 "Start 1, 2, 4, 8 ranks, or set --virtual-shards to a multiple of 3 (that changes "
                 "the results and is recorded)");
  expect_refused(6, 4, "4 ranks cannot share 6 virtual shards evenly (parallel.virtual-shards)",
                 "Start 1, 2, 3, 6 ranks, or set --virtual-shards to a multiple of 4 (that changes "
                 "the results and is recorded)");
}

TEST(ShardPlan, MoreRanksThanShardsAreRefused) {
  expect_refused(2, 4, "4 ranks cannot share 2 virtual shards evenly (parallel.virtual-shards)",
                 "Start 1, 2 ranks, or set --virtual-shards to a multiple of 4 (that changes the "
                 "results and is recorded)");
}

}  // namespace
}  // namespace tenfold::train
