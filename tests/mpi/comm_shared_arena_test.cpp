// Memory shared by ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "comm/shared_arena.hpp"

namespace tenfold::comm {
namespace {

TEST(ArenaLayout, EveryPartBeginsACacheLine) {
  const ArenaLayout layout({{"a", 4}, {"b", 64}, {"none", 0}, {"c", 65}, {"d", 8}});
  EXPECT_EQ(layout.offset("a"), 0U);
  EXPECT_EQ(layout.offset("b"), 64U);
  EXPECT_EQ(layout.offset("none"), 128U);
  EXPECT_EQ(layout.offset("c"), 128U);
  EXPECT_EQ(layout.offset("d"), 256U);
  EXPECT_EQ(layout.bytes(), 320U);
  EXPECT_EQ(layout.size("c"), 65U);
  EXPECT_THROW(layout.offset("e"), base::Error);
  EXPECT_THROW(ArenaLayout({{"a", 1}, {"a", 1}}), base::Error);
}

TEST(SharedArena, IsZeroAlignedAndTheSameMemoryEverywhere) {
  const Communicator world = Communicator::world();
  SharedArena arena(world, {{"odd", 3}, {"floats", 4 * 1000}, {"counts", 8 * 7}});
  const auto floats = arena.part<float>("floats");
  ASSERT_EQ(floats.size(), 1000U);
  EXPECT_EQ(arena.part<std::uint64_t>("counts").size(), 7U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(floats.data()) % ArenaLayout::kLine, 0U);
  for (const float each : floats) ASSERT_EQ(each, 0);
  world.barrier();
  // Every rank writes its own, then all read all.
  for (std::size_t i = static_cast<std::size_t>(world.rank()); i < floats.size();
       i += static_cast<std::size_t>(world.size())) {
    floats[i] = static_cast<float>(i) + 0.5F;
  }
  arena.sync();
  world.barrier();
  arena.sync();
  for (std::size_t i = 0; i < floats.size(); ++i) {
    ASSERT_EQ(floats[i], static_cast<float>(i) + 0.5F);
  }
  world.barrier();
}

TEST(SharedArena, NoCountIsLost) {
  const Communicator world = Communicator::world();
  constexpr std::int64_t kEach = 20000;
  SharedArena arena(world, {{"count", sizeof(std::int64_t)}});
  std::atomic_ref<std::int64_t> count(arena.part<std::int64_t>("count").front());
  static_assert(std::atomic_ref<std::int64_t>::is_always_lock_free);
  static_assert(std::atomic_ref<float>::is_always_lock_free);
  for (std::int64_t i = 0; i < kEach; ++i) count.fetch_add(1, std::memory_order_relaxed);
  world.barrier();
  EXPECT_EQ(count.load(), kEach * world.size());
  world.barrier();
}

TEST(SharedArena, ARankThatWaitsForAnotherSeesIt) {
  const Communicator world = Communicator::world();
  SharedArena arena(world, {{"turn", sizeof(std::int64_t)}});
  std::atomic_ref<std::int64_t> turn(arena.part<std::int64_t>("turn").front());
  // A token goes round: no rank waits for ever for a write of its neighbour.
  for (std::int64_t lap = 0; lap < 50; ++lap) {
    const std::int64_t mine = lap * world.size() + world.rank();
    while (turn.load(std::memory_order_acquire) != mine) std::this_thread::yield();
    turn.store(mine + 1, std::memory_order_release);
  }
  world.barrier();
  EXPECT_EQ(turn.load(), 50 * world.size());
  world.barrier();
}

TEST(SharedArena, SeveralNodesAndTooLittleRoomAreRefused) {
  const Communicator world = Communicator::world();
  EXPECT_NO_THROW(require_one_node(4, 4));
  try {
    require_one_node(2, 4);
    ADD_FAILURE() << "two nodes shared memory";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.what(), testing::HasSubstr("2 of the 4 ranks are on " + host_name()));
  }
  if (world.size() == 1) return;
  try {
    const SharedArena arena(world, {{"huge", std::size_t{1} << 50}});
    ADD_FAILURE() << "a petabyte fitted into this machine";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.what(), testing::HasSubstr("/dev/shm"));
  }
}

}  // namespace
}  // namespace tenfold::comm
