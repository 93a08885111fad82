// Checkpoints written behind a run that goes on: what is in the file is the state at begin,
// failures come with collect on every rank, metrics do not wait.
#include "store/checkpoint_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "comm/fault.hpp"
#include "mpi/checkpoint_model.hpp"
#include "store/metric_writer.hpp"

namespace tenfold::store {
namespace {

class WriterTest : public CheckpointTest, public testing::WithParamInterface<bool> {
 protected:
  ~WriterTest() override { set_fault(""); }
  void set_fault(const std::string& text) const {
    ::setenv("TENFOLD_FAULT", text.c_str(), 1);
    comm::configure_faults(world_.rank());
  }
  std::vector<std::size_t> mine() const { return shard_map(world_).mine; }
};

TEST_P(WriterTest, HoldsTheStateOfTheMomentItBegan) {
  CheckpointStore target = store();
  CheckpointWriter writer(world_.duplicate(), target, mine(), GetParam());
  Model model = filled(1);
  const StateRegistry registry = model.registry();
  for (std::uint64_t round = 1; round <= 5; ++round) {
    model.fill(static_cast<int>(round));
    writer.begin(10 * round, registry, {});
    EXPECT_TRUE(writer.in_flight());
    model.fill(99);
    const SaveReport report = writer.collect();
    EXPECT_FALSE(writer.in_flight());
    EXPECT_TRUE(writer.ended());
    EXPECT_EQ(report.step, 10 * round);
    EXPECT_LE(report.stall_seconds, report.seconds + 1.0);

    Model loaded(shard_map(world_));
    const StateRegistry into = loaded.registry();
    const auto found = target.load_newest(into);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->step, 10 * round);
    // Without a copy the state itself was written before begin returned.
    EXPECT_EQ(loaded, filled(static_cast<int>(round)));
  }
}

TEST_P(WriterTest, WritesTheSameBytesAsAPlainSave) {
  save(10, 1);
  std::string plain;
  const auto file = folder_ / "step-000000000010" / "state.h5";
  on_root([&] { plain = read_file(file); });
  CheckpointStore target = store();
  CheckpointWriter writer(world_.duplicate(), target, mine(), GetParam());
  Model model = filled(1);
  writer.begin(10, model.registry(), {});
  writer.collect();
  on_root([&] {
    // The date in the root attributes may differ; the data sets begin after it.
    const std::string again = read_file(file);
    ASSERT_EQ(again.size(), plain.size());
    std::size_t different = 0;
    for (std::size_t i = 0; i < again.size(); ++i) different += again[i] != plain[i];
    EXPECT_LE(different, 20U);
  });
}

TEST_P(WriterTest, FailuresComeWithCollectOnEveryRank) {
  save(10, 1);
  CheckpointStore target = store();
  CheckpointWriter writer(world_.duplicate(), target, mine(), GetParam());
  Model model = filled(2);
  const StateRegistry registry = model.registry();
  set_fault(fmt::format("enospc:rank={}:at=ckpt.after_write", world_.size() - 1));
  writer.begin(20, registry, {});
  const auto error = error_of([&] { writer.collect(); });
  set_fault("");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), base::Code::kIo);
  EXPECT_THAT(error->message(), testing::HasSubstr("No space left"));
  EXPECT_FALSE(writer.in_flight());
  writer.begin(20, registry, {});
  EXPECT_EQ(writer.collect().step, 20U);
}

TEST_P(WriterTest, LeavingWithOneOnItsWayFinishesIt) {
  CheckpointStore target = store();
  {
    CheckpointWriter writer(world_.duplicate(), target, mine(), GetParam());
    Model model = filled(3);
    writer.begin(30, model.registry(), {});
  }
  Model loaded(shard_map(world_));
  EXPECT_EQ(target.load_newest(loaded.registry())->step, 30U);
  EXPECT_EQ(loaded, filled(3));
}

INSTANTIATE_TEST_SUITE_P(Background, WriterTest, testing::Values(false, true),
                         [](const auto& each) { return each.param ? "background" : "waiting"; });

TEST_F(CheckpointTest, MetricsDoNotWaitForACheckpoint) {
  // The thread stands at this point for two seconds, inside HDF5's lock.
  ::setenv("TENFOLD_FAULT", "slow:rank=0:at=ckpt.after_write", 1);
  comm::configure_faults(world_.rank());
  MetricWriter metrics(folder_ / fmt::format("seg-{:04}.h5", world_.rank()),
                       {{"loss", "", "", "rank0", "", 1}}, -1, 0.0);
  CheckpointStore target = store();
  CheckpointWriter writer(world_.duplicate(), target, shard_map(world_).mine, true);
  Model model = filled(1);
  writer.begin(10, model.registry(), {});
  std::uint64_t step = 0;
  std::uint64_t calls = 0;
  for (; !writer.ended(); ++calls) {
    if (step < 1000) metrics.append("loss", ++step, 1.0);
    metrics.flush();
  }
  // One that waits for the lock comes round once or twice.
  EXPECT_GT(calls, 1000U);
  writer.collect();
  metrics.flush(true);
  EXPECT_EQ(metrics.rows_written(), step);
  ::setenv("TENFOLD_FAULT", "", 1);
  comm::configure_faults(world_.rank());
}

}  // namespace
}  // namespace tenfold::store
