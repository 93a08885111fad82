// Checkpoints that hold only the new rows of rings: after every one of them, memory comes back as
// it was, on any number of ranks; chains end where they must; failures are no base.
#include <gmock/gmock.h>

#include "checkpoint_rings.hpp"
#include "comm/fault.hpp"
#include "store/state_snapshot.hpp"

namespace tenfold::store {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(RingTest, EveryCheckpointHoldsWhatMemoryAndAFullOneHold) {
  Rings rings(shard_map(world_));
  const StateRegistry registry = rings.registry();
  const StateRegistry whole = rings.registry(false);
  CheckpointStore chained = store({100, 0});
  CheckpointStore full(world_, folder_ / "full", shard_map(world_), {1, 0});
  std::map<std::uint64_t, Rings> saved;
  std::size_t increments = 0;
  for (std::uint64_t step = 1; step <= 24; ++step) {
    // 0 to 4 rows, another number in every shard; shard 3 starts late, shard 5 takes leaps.
    rings.add([&](std::size_t shard) -> std::uint64_t {
      if (shard == 3 && step < 8) return 0;
      if (shard == 5 && step % 7 == 0) return 23;
      return (step * 5 + shard * 3) % 5;
    });
    const SaveReport report = chained.save(step, registry, {});
    const SaveReport all = full.save(step, whole, {});
    saved.emplace(step, rings);
    if (!record(step).needs.empty()) {
      ++increments;
      EXPECT_LT(report.bytes, all.bytes);
    }
    EXPECT_LE(record(step).needs.size() + 1, kMostMembers);
    Rings found(shard_map(world_));
    CheckpointStore(world_, folder_ / "full", shard_map(world_), {})
        .load(all.path, found.registry());
    EXPECT_EQ(found, rings) << step;
  }
  EXPECT_GT(increments, 10U);
  for (const auto& [step, expected] : saved) {
    expect_at(step, expected);
    Rings found(shard_map(world_));  // a run with --replay-checkpoint full goes on from it as well
    store().load(folder_of(step), found.registry(false));
    EXPECT_EQ(found, expected) << step;
  }
}

TEST_F(RingTest, AChainEndsAtSixteenMembers) {
  constexpr std::uint64_t kMany = 50;
  Rings rings(shard_map(world_), kMany);
  const StateRegistry registry = rings.registry();
  CheckpointStore target = store({100, 0});
  for (std::uint64_t step = 1; step <= 35; ++step) {
    rings.add_each(1);
    target.save(step, registry, {});
    EXPECT_EQ(needs(step).size(), (step - 1) % 16) << step;
  }
  EXPECT_THAT(needs(35), ElementsAre(33, 34));
  expect_at(35, rings, kMany);
}

TEST_F(RingTest, AChainHoldsAtMostTwiceTheSlots) {
  Rings rings(shard_map(world_));
  const StateRegistry registry = rings.registry();
  CheckpointStore target = store({100, 0});
  rings.add_each(kSlots);
  std::vector<std::size_t> sizes;
  for (std::uint64_t step = 1; step <= 8; ++step) {
    target.save(step, registry, {});
    sizes.push_back(needs(step).size());
    // The last shard alone decides: 10 + 3 + 3 + 3 rows, another 3 would be more than 20.
    rings.add([](std::size_t shard) { return shard == kShards - 1 ? 3 : 1; });
  }
  EXPECT_THAT(sizes, ElementsAre(0, 1, 2, 3, 0, 1, 2, 3));
  // Nothing of the ring is old: there is nothing to build on.
  rings.add_each(kSlots);
  target.save(9, registry, {});
  EXPECT_THAT(needs(9), IsEmpty());
  expect_at(9, rings);
}

TEST_F(RingTest, NothingNewIsAnEmptyIncrement) {
  Rings rings(shard_map(world_));
  const StateRegistry registry = rings.registry();
  CheckpointStore target = store();
  rings.add_each(4);
  target.save(1, registry, {});
  ++rings.step;
  target.save(2, registry, {});
  EXPECT_THAT(needs(2), ElementsAre(1));
  expect_at(2, rings);
}

TEST_F(RingTest, ACopyOfTheNewRowsIsEnough) {
  Rings rings(shard_map(world_));
  const StateRegistry registry = rings.registry();
  CheckpointStore target = store();
  StateSnapshot snapshot;
  const auto mine = shard_map(world_).mine;
  std::uint64_t whole = 0;
  for (std::uint64_t step = 1; step <= 9; ++step) {
    rings.add_each(step == 1 ? 7 : 2);
    const Rings then = rings;
    const auto base = target.ring_base(step, registry);
    snapshot.take(registry, mine, base ? &*base : nullptr);
    if (step == 1) whole = snapshot.bytes();
    if (base) {
      EXPECT_EQ(snapshot.bytes(), mine.size() * (2 * (kWideRow + 12) + 8) + 8) << step;
      EXPECT_LT(snapshot.bytes(), whole);
    }
    EXPECT_EQ(base.has_value(), step != 1 && step != 8) << "7 + 6 * 2 rows, another 2 are too many";
    rings.add_each(5);  // the run goes on while the copy is written
    target.save(step, snapshot.registry(), {});
    expect_at(step, then);
    rings = then;
  }
}

TEST_F(RingTest, MovesToAnotherNumberOfRanks) {
  Rings rings(shard_map(world_));
  CheckpointStore target = store();
  for (std::uint64_t step = 1; step <= 5; ++step) {
    rings.add([&](std::size_t shard) { return (shard + step) % 4; });
    target.save(step, rings.registry(), {});
  }
  EXPECT_THAT(needs(5), ElementsAre(1, 2, 3, 4));
  on_root([&] {
    const auto self = comm::Communicator::self();
    Rings all(shard_map(self)), expected(shard_map(self));
    for (std::uint64_t step = 1; step <= 5; ++step) {
      expected.add([&](std::size_t shard) { return (shard + step) % 4; });
    }
    CheckpointStore alone(self, folder_, shard_map(self), {});
    ASSERT_EQ(alone.load_newest(all.registry())->step, 5U);
    EXPECT_EQ(all, expected);
    for (std::uint64_t step = 6; step <= 7; ++step) {
      all.add_each(2);
      alone.save(step, all.registry(), {});
    }
  });
  EXPECT_THAT(needs(6), IsEmpty()) << "a process begins with a full one";
  EXPECT_THAT(needs(7), ElementsAre(6));
  rings.add_each(2);
  rings.add_each(2);
  expect_at(7, rings);
}

TEST_F(RingTest, AStoreThatHasLoadedBeginsWithAFullOne) {
  Rings rings(shard_map(world_));
  const StateRegistry registry = rings.registry();
  CheckpointStore target = store();
  for (std::uint64_t step = 1; step <= 3; ++step) {
    rings.add_each(2);
    target.save(step, registry, {});
  }
  target.load(folder_of(1), registry);
  EXPECT_EQ(rings.step, 1);
  rings.add_each(3);
  target.save(2, registry, {});
  EXPECT_THAT(needs(2), IsEmpty());
  EXPECT_THAT(steps(), ElementsAre(2, 1)) << "3 is of a future that was left";
  expect_at(2, rings);
}

TEST_F(RingTest, AFailedSaveIsNoBase) {
  Rings rings(shard_map(world_));
  const StateRegistry registry = rings.registry();
  CheckpointStore target = store({100, 0});
  const auto set_fault = [&](const std::string& text) {
    ::setenv("TENFOLD_FAULT", text.c_str(), 1);
    comm::configure_faults(world_.rank());
  };
  rings.add_each(2);
  target.save(1, registry, {});
  std::uint64_t step = 1;
  std::uint64_t newest = 1;
  for (const std::string_view point : comm::fault_points()) {
    if (!point.starts_with("ckpt.") || point.ends_with("_prune")) continue;
    SCOPED_TRACE(point);
    rings.add_each(1);
    set_fault(fmt::format("enospc:rank=0:at={}", point));
    EXPECT_TRUE(error_of([&] { target.save(++step, registry, {}); }).has_value());
    set_fault("");
    rings.add_each(1);
    target.save(++step, registry, {});
    if (!needs(step).empty()) {
      EXPECT_EQ(needs(step).back(), newest);
    }
    newest = step;
    expect_at(step, rings);
  }
  EXPECT_GT(step, 10U);
}

TEST_F(RingTest, WhatWasTakenAwayIsNoBase) {
  Rings rings(shard_map(world_));
  const StateRegistry registry = rings.registry();
  CheckpointStore target = store();
  const auto add_and_save = [&](std::uint64_t step) {
    rings.add_each(1);
    target.save(step, registry, {});
  };
  add_and_save(1);
  add_and_save(2);
  on_root([&] { fs::remove_all(folder_of(1)); });
  add_and_save(3);
  EXPECT_THAT(needs(3), IsEmpty());
  add_and_save(4);
  EXPECT_THAT(needs(4), ElementsAre(3));

  // It goes while a copy of the new rows alone waits to be written.
  rings.add_each(1);
  const auto base = target.ring_base(5, registry);
  ASSERT_TRUE(base.has_value());
  StateSnapshot snapshot;
  snapshot.take(registry, shard_map(world_).mine, &*base);
  on_root([&] { fs::resize_file(folder_of(4) / kStateFile, 10); });
  const auto error = error_of([&] { target.save(5, snapshot.registry(), {}); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), base::Code::kIo);
  EXPECT_THAT(error->message(), HasSubstr("gone"));
  EXPECT_FALSE(has_partial());
  add_and_save(6);
  EXPECT_THAT(needs(6), IsEmpty());
  expect_at(6, rings);
}

TEST_F(RingTest, WhatAKeptOneBuildsOnStaysAndGoesWithTheLast) {
  Rings rings(shard_map(world_));
  const StateRegistry registry = rings.registry();
  CheckpointStore target = store({.keep_last = 2});
  rings.add_each(kSlots);
  const auto save_with = [&](std::uint64_t step, std::uint64_t rows) {
    rings.add_each(rows);
    target.save(step, registry, {});
    return steps();
  };
  EXPECT_THAT(save_with(1, 0), ElementsAre(1));
  EXPECT_THAT(save_with(2, 3), ElementsAre(2, 1));
  EXPECT_THAT(save_with(3, 3), ElementsAre(3, 2, 1)) << "needed, though two newer ones are kept";
  EXPECT_THAT(save_with(4, 3), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(save_with(5, 3), ElementsAre(5, 4, 3, 2, 1)) << "full, but 4 is kept";
  EXPECT_THAT(save_with(6, 3), ElementsAre(6, 5)) << "nothing that is kept needs the first four";
  for (const std::uint64_t step : steps()) {
    EXPECT_EQ(verify_checkpoint(folder_of(step)).step, step);
  }
}

}  // namespace
}  // namespace tenfold::store
