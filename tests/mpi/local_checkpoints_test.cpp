// Node-local parts: they come back exactly, and only as what they are: of this run, rank, number of
// ranks, and newer than the newest shared checkpoint.
#include "store/local_checkpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "comm/fault.hpp"
#include "mpi/checkpoint_model.hpp"
#include "store/checkpoint_writer.hpp"

namespace tenfold::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LocalTest : public CheckpointTest {
 protected:
  LocalTest() {
    on_root([&] {
      fs::create_directories(shared_);
      fs::create_directories(node_);
    });
  }
  ~LocalTest() override { set_fault(""); }

  void set_fault(const std::string& text) const {
    ::setenv("TENFOLD_FAULT", text.c_str(), 1);
    comm::configure_faults(world_.rank());
  }
  /// As a new start of the run sees it.
  LocalCheckpoints local() const { return {world_, node_, shared_, shard_map(world_)}; }
  LocalCheckpoints fresh() const {
    LocalCheckpoints level = local();
    level.start_anew();
    return level;
  }
  CheckpointStore shared() const { return {world_, shared_, shard_map(world_), {10, 0}}; }

  SaveReport write(LocalCheckpoints& level, std::uint64_t step, int seed,
                   Level which = Level::kLocal) const {
    CheckpointStore target = shared();
    CheckpointWriter writer(world_.duplicate(), target, shard_map(world_).mine, true, &level);
    Model model = filled(seed);
    const StateRegistry registry = model.registry();
    writer.begin(step, registry, {{"config", "{}"}}, which);
    model.fill(99);
    return writer.collect();
  }
  fs::path part(const LocalCheckpoints& level, std::uint64_t step, int rank) const {
    return level.tree() / fmt::format("rank-{}-of-{}", rank, world_.size()) /
           fmt::format("step-{:012}", step);
  }
  void expect_state(LocalCheckpoints& level, std::uint64_t step, int seed) const {
    level.verify(step);
    Model model(shard_map(world_));
    const LoadReport report = level.load(step, model.registry());
    EXPECT_EQ(report.step, step);
    EXPECT_EQ(report.world_size, world_.size());
    EXPECT_EQ(report.metadata.at("config"), "{}");
    EXPECT_EQ(model, filled(seed));
  }
  std::string refusal(const LocalCheckpoints& level, std::uint64_t step, int culprit) const {
    try {
      level.verify(step);
    } catch (const comm::AgreedError& error) {
      EXPECT_EQ(error.code(), Code::kCheckpoint);
      EXPECT_EQ(error.rank(), culprit);
      return error.message();
    }
    ADD_FAILURE() << "accepted";
    return "";
  }

  fs::path shared_ = folder_ / "checkpoint", node_ = folder_ / "node";
  int last_ = world_.size() - 1;
};

TEST_F(LocalTest, PartsOfEveryRankRestoreExactly) {
  {
    LocalCheckpoints level = fresh();
    const SaveReport report = write(level, 20, 1);
    world_.barrier();
    std::uint64_t bytes = 0;
    for (int rank = 0; rank < world_.size(); ++rank) {
      bytes += fs::file_size(part(level, 20, rank) / "state.h5");
    }
    EXPECT_EQ(report.bytes, bytes);
    EXPECT_EQ(report.step, 20U);
    EXPECT_EQ(report.path, part(level, 20, world_.rank()));
    write(level, 30, 2);
  }
  LocalCheckpoints level = local();
  const LocalOffer offer = level.offer();
  EXPECT_THAT(offer.steps, ElementsAre(30U, 20U));
  EXPECT_EQ(offer.missing, "");
  EXPECT_FALSE(offer.lost);
  expect_state(level, 30, 2);
  expect_state(level, 20, 1);
}

TEST_F(LocalTest, TheFirstStartOfARunFindsNothingAndSaysNothing) {
  LocalCheckpoints level = local();
  const LocalOffer offer = level.offer();
  EXPECT_THAT(offer.steps, IsEmpty());
  EXPECT_EQ(offer.missing, "");
}

TEST_F(LocalTest, TwoAreKeptAndTheSharedLevelReplacesThem) {
  LocalCheckpoints level = fresh();
  for (std::uint64_t step = 10; step <= 50; step += 10) write(level, step, 1);
  EXPECT_THAT(local().offer().steps, ElementsAre(50U, 40U));
  write(level, 60, 1, Level::kShared);
  world_.barrier();
  EXPECT_FALSE(fs::exists(part(level, 50, world_.rank())));
  const LocalOffer none = local().offer();
  EXPECT_THAT(none.steps, IsEmpty());
  EXPECT_THAT(none.missing, HasSubstr("holds none that is newer"));
  EXPECT_FALSE(none.lost) << "nothing is wrong after a stop with a checkpoint";
  write(level, 70, 3);
  LocalCheckpoints next = local();
  EXPECT_THAT(next.offer().steps, ElementsAre(70U));
  expect_state(next, 70, 3);
}

TEST_F(LocalTest, PartsThatAKillLeftBehindANewerSharedOneAreNotOffered) {
  LocalCheckpoints level = fresh();
  write(level, 20, 1);
  Model model = filled(2);
  shared().save(30, model.registry(), {});
  EXPECT_THAT(local().offer().steps, IsEmpty());
}

TEST_F(LocalTest, AMissingPartFallsBackToTheStepThatAllHold) {
  if (world_.size() == 1) GTEST_SKIP() << "one rank misses nothing of another's";
  LocalCheckpoints level = fresh();
  write(level, 20, 1);
  write(level, 30, 2);
  on_root([&] { fs::remove_all(part(level, 30, last_)); });
  LocalCheckpoints next = local();
  const LocalOffer offer = next.offer();
  EXPECT_THAT(offer.steps, ElementsAre(20U));
  EXPECT_TRUE(offer.lost);
  EXPECT_EQ(offer.missing,
            fmt::format("step-000000000030 is missing on rank {} ({})", last_, comm::host_name()));
  expect_state(next, 20, 1);
  next.go_on_from(20);
  world_.barrier();
  for (int rank = 0; rank < world_.size(); ++rank) {
    EXPECT_FALSE(fs::exists(part(level, 30, rank))) << "it would pass for this run's future";
    EXPECT_TRUE(fs::exists(part(level, 20, rank)));
  }
}

TEST_F(LocalTest, ADamagedPartIsRefusedByAllBeforeAnythingIsRead) {
  LocalCheckpoints level = fresh();
  write(level, 30, 2);
  on_root([&] {
    const fs::path file = part(level, 30, last_) / "state.h5";
    std::string bytes = read_file(file);
    bytes[bytes.size() / 2] ^= 0x10;
    write_file(file, bytes);
  });
  const LocalCheckpoints next = local();
  EXPECT_THAT(refusal(next, 30, last_), HasSubstr("state.h5 is damaged"));
}

TEST_F(LocalTest, ThePartOfAnotherRankIsRefused) {
  if (world_.size() == 1) GTEST_SKIP() << "there is no other rank";
  LocalCheckpoints level = fresh();
  write(level, 30, 2);
  on_root([&] {
    fs::remove_all(part(level, 30, last_));
    fs::copy(part(level, 30, 0), part(level, 30, last_), fs::copy_options::recursive);
  });
  EXPECT_THAT(refusal(local(), 30, last_),
              HasSubstr(fmt::format("local.rank is '0 of {}' in the checkpoint and '{} of {}'",
                                    world_.size(), last_, world_.size())));
}

TEST_F(LocalTest, PartsOfAnotherRunAreRefused) {
  LocalCheckpoints level = fresh();
  write(level, 30, 2);
  LocalCheckpoints other = fresh();
  write(other, 30, 3);
  // Only a folder that was renamed by hand gets that far.
  write(level, 30, 2);
  on_root([&] {
    fs::remove_all(other.tree());
    fs::rename(level.tree(), other.tree());
  });
  EXPECT_THAT(refusal(local(), 30, 0), HasSubstr("local.run is '"));
}

TEST_F(LocalTest, AnotherNumberOfRanksIsSaid) {
  LocalCheckpoints level = fresh();
  write(level, 30, 2);
  on_root([&] {
    for (int rank = 0; rank < world_.size(); ++rank) {
      fs::rename(part(level, 30, rank).parent_path(),
                 level.tree() / fmt::format("rank-{}-of-{}", rank, 2 * world_.size()));
    }
  });
  const LocalOffer offer = local().offer();
  EXPECT_THAT(offer.steps, IsEmpty());
  EXPECT_TRUE(offer.lost);
  EXPECT_EQ(offer.missing,
            fmt::format("they are of {} ranks, this run has {}", 2 * world_.size(), world_.size()));
}

TEST_F(LocalTest, ARunThatWasTakenBackToAnOlderSharedOneDoesNotJumpAhead) {
  LocalCheckpoints level = fresh();
  write(level, 10, 1, Level::kShared);
  write(level, 20, 1, Level::kShared);
  write(level, 30, 2);
  on_root([&] { fs::remove_all(shared_ / "step-000000000020"); });
  EXPECT_THAT(refusal(local(), 30, 0), HasSubstr("local.shared is 'step-000000000020 "));
}

// Of three starts the second runs on other nodes: what the first left on its own is of a future
// that the run gave up.
TEST_F(LocalTest, PartsOnNodesThatTookNoPartInALaterStartAreNeverUsed) {
  LocalCheckpoints first = fresh();
  write(first, 100, 1);
  on_root([&] {
    fs::rename(node_, folder_ / "away");
    fs::create_directories(node_);
  });
  {
    LocalCheckpoints second = local();
    EXPECT_THAT(second.offer().steps, IsEmpty());
    second.start_anew();
    write(second, 20, 2);
  }
  on_root([&] {
    fs::remove_all(node_);
    fs::rename(folder_ / "away", node_);
  });
  EXPECT_THAT(local().offer().steps, IsEmpty());
}

TEST_F(LocalTest, ACopiedRunIsAnotherRun) {
  LocalCheckpoints level = fresh();
  write(level, 30, 2);
  const fs::path copy = folder_ / "copy";
  on_root([&] { fs::copy(shared_, copy, fs::copy_options::recursive); });
  LocalCheckpoints other(world_, node_, copy, shard_map(world_));
  const LocalOffer offer = other.offer();
  EXPECT_THAT(offer.steps, IsEmpty());
  EXPECT_TRUE(offer.lost);
  EXPECT_THAT(offer.missing, HasSubstr("moved or copied"));
  other.start_anew();
  EXPECT_NE(other.tree(), level.tree());
  LocalCheckpoints original = local();
  EXPECT_THAT(original.offer().steps, ElementsAre(30U));
  expect_state(original, 30, 2);
}

TEST_F(LocalTest, AnUnreadableRecordIsSaid) {
  fresh();
  on_root(
      [&] { write_file(shared_ / "local-id", R"({"id": "../../etc", "run": "", "folder": ""})"); });
  const LocalOffer offer = local().offer();
  EXPECT_THAT(offer.missing, HasSubstr("local-id is malformed"));
  EXPECT_TRUE(offer.lost);
}

TEST_F(LocalTest, ARankThatCannotWriteAgainAndAgainLeavesTheStepThatAllHold) {
  LocalCheckpoints level = fresh();
  write(level, 10, 1);
  for (std::uint64_t step = 20; step <= 50; step += 10) {
    set_fault(fmt::format("enospc:rank={}:at=ckpt.after_write", last_));
    try {
      write(level, step, 2);
      ADD_FAILURE() << "written";
    } catch (const comm::AgreedError& error) {
      EXPECT_EQ(error.code(), Code::kIo);
      EXPECT_EQ(error.rank(), last_);
    }
  }
  set_fault("");
  EXPECT_THAT(local().offer().steps, ElementsAre(10U));
  write(level, 60, 3);
  LocalCheckpoints next = local();
  EXPECT_THAT(next.offer().steps, ElementsAre(60U, 10U));
  expect_state(next, 60, 3);
}

TEST_F(LocalTest, AFolderThatIsNotThereIsAnErrorOfTheWriteAlone) {
  LocalCheckpoints level = fresh();
  on_root([&] { fs::remove_all(node_); });
  const auto error = error_of([&] { write(level, 20, 1); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), Code::kIo);
  EXPECT_THAT(error->message(), HasSubstr("is not a folder on this node"));
  EXPECT_EQ(write(level, 30, 1, Level::kShared).step, 30U);
}

TEST_F(LocalTest, NothingStaysWhenARunIsDoneOrGoesOnWithoutThisLevel) {
  for (const bool done : {true, false}) {
    LocalCheckpoints level = fresh();
    write(level, 20, 1);
    if (done) {
      level.finish();
    } else {
      abandon_local_checkpoints(world_, shared_);
    }
    world_.barrier();
    EXPECT_TRUE(fs::is_empty(node_));
    EXPECT_FALSE(fs::exists(shared_ / "local-id"));
    world_.barrier();
  }
  abandon_local_checkpoints(world_, shared_);  // of nothing: nothing happens
}

// The point that waits stands in the writing thread for two seconds; the run waits for it here.
TEST_F(LocalTest, WaitingForOneOnItsWayCountsAsStandingStill) {
  LocalCheckpoints level = fresh();
  for (const Level which : {Level::kLocal, Level::kShared}) {
    set_fault("slow:rank=0:at=ckpt.after_sync");
    const SaveReport report = write(level, which == Level::kLocal ? 20 : 30, 1, which);
    set_fault("");
    EXPECT_GE(report.seconds, 2.0);
    EXPECT_GE(report.stall_seconds, 1.9);
  }
}

}  // namespace
}  // namespace tenfold::store
