// Counters that ranks share.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "comm/shared_counters.hpp"

namespace tenfold::comm {
namespace {

TEST(SharedCounters, EveryNumberIsGivenOnce) {
  const Communicator world = Communicator::world();
  constexpr std::int64_t kEach = 500;
  SharedCounters counters(world, 3);
  std::vector<std::int64_t> mine;
  for (std::int64_t k = 0; k < kEach; ++k) mine.push_back(counters.fetch_and_add(1, 1));
  EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
  std::vector<std::int64_t> all(mine.size() * static_cast<std::size_t>(world.size()));
  world.all_gather(std::span<const std::int64_t>(mine), std::span<std::int64_t>(all));
  std::sort(all.begin(), all.end());
  for (std::size_t k = 0; k < all.size(); ++k) ASSERT_EQ(all[k], static_cast<std::int64_t>(k));
  EXPECT_EQ(counters.read(0), 0);
  EXPECT_EQ(counters.read(1), kEach * world.size());
  EXPECT_EQ(counters.read(2), 0);
  world.barrier();
}

TEST(SharedCounters, AreSetForAll) {
  const Communicator world = Communicator::world();
  SharedCounters counters(world, 2);
  const std::int64_t large = (std::int64_t{1} << 40) + 7;
  counters.set(1, large);
  EXPECT_EQ(counters.read(1), large);
  world.barrier();
  counters.add_and_fetch(1, -1);
  world.barrier();
  EXPECT_EQ(counters.read(1), large - world.size());
  counters.set(1, -5);
  EXPECT_EQ(counters.read(1), -5);
  EXPECT_EQ(counters.add_and_fetch(0, 0), 0);
  EXPECT_THROW(counters.read(2), base::Error);
  EXPECT_THROW(counters.fetch_and_add(9, 1), base::Error);
}

TEST(SharedCounters, ARankThatWaitsForAnotherSeesIt) {
  const Communicator world = Communicator::world();
  SharedCounters counters(world, 1);
  // A token goes round, by the counter alone.
  for (std::int64_t lap = 0; lap < 20; ++lap) {
    const std::int64_t mine = lap * world.size() + world.rank();
    while (counters.read(0) != mine) {
    }
    counters.add_and_fetch(0, 1);
  }
  world.barrier();
  EXPECT_EQ(counters.read(0), 20 * world.size());
}

}  // namespace
}  // namespace tenfold::comm
