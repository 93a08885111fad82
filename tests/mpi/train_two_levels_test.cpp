// A run with both levels of checkpoints, broken off and started again: where it goes on from, that
// it says so, and that it ends as the unbroken one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "mpi/shared_folder.hpp"
#include "store/run_reader.hpp"
#include "support/training_world.hpp"
#include "train/loop.hpp"
#include "train/resume.hpp"

namespace tenfold::train {
namespace {

namespace fs = std::filesystem;
using base::Code;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kSteps = 12;

// After t steps the common sum is 1 + 2 + ... + t, and shard s holds (s + 1) times that.
class Sums : public Experiment {
 public:
  explicit Sums(const ShardPlan& plan) : plan_(plan), shard_(plan.shards, 0) {}
  void build(RunContext&) override {}
  void state(store::StateRegistry& registry) override {
    registry.replicated("model/sum", &sum);
    registry.sharded<std::int64_t>("env/sum", {},
                                   [this](std::size_t shard) { return &shard_[shard]; });
  }
  std::uint64_t step(RunContext& context) override {
    const auto next = static_cast<std::int64_t>(context.step + 1);
    if (context.step + 1 == dies_at) {
      throw comm::AgreedError(base::Error(Code::kNumeric, "broken off"), 0, "");
    }
    sum += next;
    for (const std::size_t shard : plan_.mine) {
      shard_[shard] += next * static_cast<std::int64_t>(shard + 1);
    }
    if (context.step + 1 == drifts_at) sum += plan_.rank;
    return 1;
  }
  void evaluate(RunContext&) override {}
  std::string summary(RunContext&) override { return ""; }
  std::uint64_t total_steps() const override { return kSteps; }
  std::uint64_t evaluate_every() const override { return 0; }
  std::string step_unit() const override { return "steps"; }

  bool is_at(std::uint64_t step) const {
    const auto total = static_cast<std::int64_t>(step * (step + 1) / 2);
    bool right = sum == total;
    for (const std::size_t shard : plan_.mine) {
      right = right && shard_[shard] == total * static_cast<std::int64_t>(shard + 1);
    }
    return right;
  }

  std::uint64_t dies_at = 0, drifts_at = 0;
  std::int64_t sum = 0;

 private:
  ShardPlan plan_;
  std::vector<std::int64_t> shard_;
};

struct Start {
  std::string resume = "auto";
  std::uint64_t dies_at = 0;
  std::uint64_t drifts_at = 0;  ///< from this step on ranks disagree
  bool local = true;
  std::string task = "sums";
};

class TwoLevels : public test::SharedFolderTest {
 protected:
  TwoLevels() {
    if (world_.is_root()) {
      for (const fs::path& each : {shared_, node_, folder_ / "metrics"})
        fs::create_directories(each);
    }
    world_.barrier();
  }

  /// One start, as run_app makes it: a node-local checkpoint every 2 steps, a shared one every 6.
  StartPoint go(const Start& how) {
    test::TrainingWorld training(world_, 12);
    RunContext& context = training.context();
    for (const char* name : {"seconds", "stall_seconds", "bytes", "local_seconds",
                             "local_stall_seconds", "local_bytes"}) {
      context.metrics->declare({std::string("checkpoint/") + name, "", "", "rank0", ""});
    }
    Sums sums(context.shards);
    sums.dies_at = how.dies_at;
    sums.drifts_at = how.drifts_at;
    store::StateRegistry registry;
    sums.state(registry);
    registry.identity("task", how.task);
    const store::ShardMap shards{context.shards.shards, context.shards.mine};
    store::CheckpointStore checkpoints(world_.duplicate(), shared_, shards, {});
    std::optional<store::LocalCheckpoints> local;
    if (how.local) local.emplace(world_, node_, shared_, shards);
    store::LocalCheckpoints* const level = local ? &*local : nullptr;
    const StartPoint start = restore(world_, checkpoints, level, registry, how.resume, "{}");
    EXPECT_TRUE(sums.is_at(start.step)) << start.description;
    context.step = start.step;
    context.metrics->open(folder_ / "metrics" / fmt::format("seg-{:04}.h5", starts_++),
                          static_cast<std::int64_t>(start.step), 1e9);
    RunOptions options;
    options.checkpoint_background = false;
    options.check_replicas_every = 0;
    options.progress_every = 1e9;
    comm::Watchdog watchdog(0);
    StopPolicy stop(
        world_, nullptr, "", CheckpointSchedule("6", "6h"), context.step,
        how.local ? std::optional(StepsOrTime{.steps = 2, .seconds = {}}) : std::nullopt);
    store::CheckpointWriter writer(world_.duplicate(), checkpoints, shards.mine, false, level);
    try {
      EXPECT_TRUE(Loop({context, sums, options, registry, writer, {}, stop, watchdog}).run());
      EXPECT_TRUE(sums.is_at(kSteps));
      if (local) local->finish();
    } catch (const comm::AgreedError& error) {
      EXPECT_EQ(error.message(), "broken off");
    }
    context.metrics->close();
    world_.barrier();
    return start;
  }
  StartPoint go() { return go(Start()); }

  /// Rows of a series that some start wrote, on all ranks.
  std::vector<std::uint64_t> steps(const std::string& name) const {
    std::vector<std::string> warnings;
    for (const store::Series& each : store::read_metrics(folder_, &warnings)) {
      if (each.name == name) return each.step;
    }
    return {};
  }
  fs::path part(std::uint64_t step, int rank) const {
    for (const auto& tree : fs::directory_iterator(node_)) {
      return tree.path() / fmt::format("rank-{}-of-{}", rank, world_.size()) /
             fmt::format("step-{:012}", step);
    }
    return {};
  }
  template <class Body>
  void on_root(Body&& body) const {
    world_.barrier();
    if (world_.is_root()) body();
    world_.barrier();
  }
  void damage(std::uint64_t step, int rank) const {
    on_root([&] {
      std::fstream file(part(step, rank) / "state.h5", std::ios::in | std::ios::out);
      file.seekp(1000);
      file.put('x');
    });
  }

  fs::path shared_ = folder_ / "checkpoint", node_ = folder_ / "node";
  int last_ = world_.size() - 1;
  int starts_ = 0;
};

void expect_start(const StartPoint& start, std::uint64_t step, const std::string& says) {
  EXPECT_EQ(start.step, step);
  EXPECT_THAT(start.description, HasSubstr(says));
}

TEST_F(TwoLevels, AreWrittenInTurnAndOnlyTheSharedOneStays) {
  expect_start(go(), 0, "a fresh start");
  EXPECT_THAT(steps("checkpoint/local_bytes"), ElementsAre(2U, 4U, 8U, 10U));
  EXPECT_THAT(steps("checkpoint/local_seconds"), ElementsAre(2U, 4U, 8U, 10U));
  EXPECT_THAT(steps("checkpoint/bytes"), ElementsAre(6U, 12U));
  EXPECT_TRUE(fs::is_empty(node_));
  expect_start(go(), 12, "step-000000000012 (written by");
}

TEST_F(TwoLevels, TheNewestOfBothIsWhereTheRunGoesOn) {
  go({.dies_at = 10});
  expect_start(go({.dies_at = 11}), 8, "node-local step-000000000008");
  expect_start(go({.dies_at = 11}), 10, "node-local step-000000000010");
  expect_start(go(), 10, "node-local step-000000000010");
}

TEST_F(TwoLevels, BeforeTheFirstSharedOneToo) {
  go({.dies_at = 5});
  expect_start(go(), 4, "node-local step-000000000004");
}

TEST_F(TwoLevels, ADamagedPartOfOneRankTakesAllBack) {
  go({.dies_at = 12});
  damage(10, last_);
  expect_start(go({.dies_at = 9}), 8, "node-local step-000000000008");
  damage(8, 0);
  expect_start(go(), 6, "step-000000000006 (written by");
}

TEST_F(TwoLevels, WithoutTheNodesTheSharedOneIsUsed) {
  go({.dies_at = 12});
  on_root([&] {
    fs::remove_all(node_);
    fs::create_directories(node_);
  });
  expect_start(go(), 6, "step-000000000006 (written by");
}

TEST_F(TwoLevels, WithoutAnyTheRunBeginsAgain) {
  go({.dies_at = 5});
  damage(4, 0);
  damage(2, last_);
  expect_start(go(), 0, "a fresh start");
}

TEST_F(TwoLevels, PartsWhoseReplicasDifferArePassedOver) {
  if (world_.size() == 1) GTEST_SKIP() << "one rank agrees with itself";
  go({.dies_at = 12, .drifts_at = 9});
  expect_start(go(), 8, "node-local step-000000000008");
}

TEST_F(TwoLevels, PartsThatDoNotFitTheRunAreNoReasonToBeginAgain) {
  go({.dies_at = 5});
  try {
    go({.task = "other"});
    ADD_FAILURE() << "accepted";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), Code::kCheckpoint);
  }
  expect_start(go(), 4, "node-local step-000000000004");
}

TEST_F(TwoLevels, AnotherStartThanTheNewestLeavesNoFutureBehind) {
  for (const bool by_path : {true, false}) {
    go({.dies_at = 12});
    const std::string path = (shared_ / "step-000000000006").string();
    const Start other =
        by_path ? Start{.resume = path, .dies_at = 7} : Start{.dies_at = 7, .local = false};
    expect_start(go(other), 6, "step-000000000006 (written by");
    expect_start(go({.dies_at = 7}), 6, "step-000000000006 (written by");
    on_root([&] {
      for (const auto& each : fs::directory_iterator(shared_)) fs::remove_all(each.path());
    });
  }
}

TEST_F(TwoLevels, AFolderThatIsNotThereCostsWarnings) {
  on_root([&] { fs::remove_all(node_); });
  go();
  EXPECT_THAT(steps("checkpoint/local_bytes"), IsEmpty());
  EXPECT_THAT(steps("checkpoint/bytes"), ElementsAre(6U, 12U));
  std::vector<std::string> warnings;
  std::vector<std::uint64_t> said;
  for (const store::Event& event : store::read_events(folder_, &warnings)) {
    if (event.kind != "fault") continue;
    said.push_back(event.step);
    EXPECT_THAT(event.text, HasSubstr("node-local: "));
    EXPECT_THAT(event.text, HasSubstr("is not a folder"));
  }
  EXPECT_THAT(said, ElementsAre(2U, 4U, 10U)) << "the 1st, 2nd and 4th in a row";
}

}  // namespace
}  // namespace tenfold::train
