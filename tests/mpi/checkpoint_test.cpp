// Saving and loading on any number of ranks.
#include <gmock/gmock.h>

#include "checkpoint_model.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {
namespace {

using base::Code;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(CheckpointTest, RestoresEveryKindOfState) {
  Model model = filled(1);
  const SaveReport saved =
      store().save(12000, model.registry(), {{"phase", "train"}, {"empty", ""}});
  EXPECT_EQ(saved.step, 12000U);
  EXPECT_EQ(saved.path, folder_ / "step-000000012000");
  EXPECT_EQ(saved.bytes, std::filesystem::file_size(saved.path / "state.h5"));
  EXPECT_GT(saved.bytes, kShards * kWide);
  EXPECT_LT(saved.bytes, kShards * kWide + 4 * kWide + (64U << 10) + (1U << 20));

  Model other(shard_map(world_));
  const auto loaded = store().load_newest(other.registry());
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(other, filled(1));
  EXPECT_EQ(loaded->step, 12000U);
  EXPECT_EQ(loaded->world_size, world_.size());
  EXPECT_EQ(loaded->metadata.at("phase"), "train");
  EXPECT_EQ(loaded->metadata.at("empty"), "");
  EXPECT_THAT(loaded->refused, IsEmpty());
}

TEST_F(CheckpointTest, AnEmptyFolderHoldsNone) {
  Model model(shard_map(world_));
  EXPECT_FALSE(store().load_newest(model.registry()).has_value());
  // Not committed: killed between the rename and the commit.
  on_root([&] { std::filesystem::create_directories(folder_ / "step-000000000010"); });
  EXPECT_FALSE(store().load_newest(model.registry()).has_value());
}

TEST_F(CheckpointTest, OneRankWritesTheSameBytes) {
  const SaveReport together = save(10, 1);
  on_root([&] {
    const auto self = comm::Communicator::self();
    Model model(shard_map(self));
    model.fill(1);
    CheckpointStore alone(self, folder_ / "alone", shard_map(self), {});
    const SaveReport single = alone.save(10, model.registry(), {});
    std::string ours = read_file(together.path / "state.h5");
    std::string theirs = read_file(single.path / "state.h5");
    // All but the moment of writing, which both hold as text at the same place.
    const auto at = ours.find("created_utc");
    const auto stamp = ours.find("20", at);
    ASSERT_NE(stamp, std::string::npos);
    ours.replace(stamp, 20, 20, 'T');
    theirs.replace(stamp, 20, 20, 'T');
    // HDF5 checksums its headers: the one that holds the time differs as well, by four bytes.
    ASSERT_EQ(ours.size(), theirs.size());
    std::size_t different = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) different += ours[i] != theirs[i];
    EXPECT_LE(different, 4U);
  });
}

TEST_F(CheckpointTest, DataSetsAreEqualHoweverManyRanksWroteThem) {
  const SaveReport together = save(10, 1);
  on_root([&] {
    const Hdf5Session session;
    const Hid file =
        open_file(together.path / "state.h5", H5F_ACC_RDONLY, serial_access(H5F_LIBVER_V18, false));
    ShardMap all{kShards, {0, 1, 2, 3, 4, 5, 6, 7}};
    Model model(all);
    model.fill(1);
    const std::uint64_t most = Model::used(kShards - 1);
    const Hid replay(H5Dopen2(file.get(), "/checkpoint/replay/observation", H5P_DEFAULT), &H5Dclose,
                     "open", "replay");
    EXPECT_EQ(dimensions(replay.get(), "replay"), (std::vector<std::uint64_t>{kShards, most, 3}));
    std::vector<float> rows(kShards * most * 3);
    ASSERT_GE(H5Dread(replay.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()),
              0);
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      for (std::size_t i = 0; i < most * 3; ++i) {
        // Rows that a shard does not use yet read as zeros, not as what the disk held before.
        const float expected = i < Model::used(shard) * 3 ? model.replay[shard][i] : 0.0F;
        ASSERT_EQ(rows[shard * most * 3 + i], expected) << shard << " " << i;
      }
    }
    EXPECT_EQ(read_text(replay.get(), "dtype"), "float32");
    EXPECT_EQ(read_text(replay.get(), "scope"), "sharded");
    EXPECT_EQ(read_u64s(replay.get(), "shape", 2), (std::vector<std::uint64_t>{50, 3}));
    EXPECT_EQ(read_u64s(replay.get(), "rows", kShards)[2], Model::used(2));
    const Hid counter(H5Dopen2(file.get(), "/checkpoint/rng/counter", H5P_DEFAULT), &H5Dclose,
                      "open", "counter");
    EXPECT_EQ(dimensions(counter.get(), "counter"), (std::vector<std::uint64_t>{kShards}));
    EXPECT_EQ(read_text(file.get(), "schema"), "tenfold-run");
  });
}

TEST_F(CheckpointTest, MovesToAnotherNumberOfRanks) {
  const SaveReport together = save(10, 1);
  on_root([&] {
    const auto self = comm::Communicator::self();
    Model model(shard_map(self));
    CheckpointStore alone(self, folder_, shard_map(self), {});
    EXPECT_EQ(alone.load(together.path, model.registry()).world_size, world_.size());
    Model expected(shard_map(self));
    expected.fill(1);
    EXPECT_EQ(model, expected);
    expected.fill(2);
    alone.save(20, expected.registry(), {});
  });
  Model back(shard_map(world_));
  const auto loaded = store().load_newest(back.registry());
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->step, 20U);
  EXPECT_EQ(loaded->world_size, 1);
  EXPECT_EQ(back, filled(2));
}

TEST_F(CheckpointTest, HooksRunAroundTheTransfer) {
  Model model(shard_map(world_));
  StateRegistry registry = model.registry();
  registry.on_save([&] { model.fill(4); });
  int loaded_seed_four = 0;
  registry.on_load([&] { loaded_seed_four += model == filled(4) ? 1 : 0; });
  store().save(1, registry, {});
  model.clear();
  store().load(folder_ / "step-000000000001", registry);
  EXPECT_EQ(loaded_seed_four, 1);
}

TEST_F(CheckpointTest, EmptyStateAndManyTinyFieldsWork) {
  StateRegistry registry;
  std::vector<double> values(300);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.5 * static_cast<double>(i);
    registry.replicated(fmt::format("tiny/{:03}", i), &values[i]);
  }
  registry.replicated<float>("tiny/none", nullptr, {0, 4});
  const auto expected = values;
  store().save(5, registry, {});
  values.assign(values.size(), -1);
  store().load_newest(registry);
  EXPECT_EQ(values, expected);

  store().save(6, StateRegistry{}, {});
  const auto loaded = store().load_newest(StateRegistry{});
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->step, 6U);
}

TEST_F(CheckpointTest, KeepsWhatThePolicySays) {
  Model model = filled(1);
  CheckpointStore keeping = store({2, 20});
  for (std::uint64_t step = 10; step <= 50; step += 10) keeping.save(step, model.registry(), {});
  std::vector<std::uint64_t> steps;
  for (const auto& path : list_checkpoints(folder_)) steps.push_back(verify_checkpoint(path).step);
  EXPECT_EQ(steps, (std::vector<std::uint64_t>{50, 40, 20}));
}

TEST_F(CheckpointTest, KeepsTheBestByItsMetric) {
  // Values that were last known when each step was saved; nothing was known at the first.
  const std::vector<std::pair<std::uint64_t, std::string>> saves{
      {10, "nan"}, {20, "5"}, {30, "9.5"}, {40, "-3"}, {50, "9.5"}, {60, "1"}, {70, "2"}};
  const auto remaining = [&](bool largest) {
    on_root([&] { std::filesystem::remove_all(folder_); });
    Model model = filled(1);
    const StateRegistry registry = model.registry();
    CheckpointStore target =
        store({.keep_last = 2, .best_key = "metric/return", .best_is_largest = largest});
    for (const auto& [step, value] : saves) target.save(step, registry, {{"metric/return", value}});
    std::string names;
    for (const auto& path : list_checkpoints(folder_)) {
      names += std::to_string(verify_checkpoint(path).step) + " ";
    }
    world_.barrier();
    return names;
  };
  EXPECT_EQ(remaining(true), "70 60 50 ") << "the newest of two equals";
  EXPECT_EQ(remaining(false), "70 60 40 ");
}

TEST_F(CheckpointTest, SavingAStepAgainReplacesIt) {
  save(10, 1);
  save(10, 2);
  Model model(shard_map(world_));
  store().load_newest(model.registry());
  EXPECT_EQ(model, filled(2));
  on_root([&] { EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1); });
}

TEST_F(CheckpointTest, RanksThatDisagreeOnTheStateAreABug) {
  if (world_.size() == 1) GTEST_SKIP() << "needs two ranks";
  Model model = filled(1);
  StateRegistry registry = model.registry();
  double extra = 0;
  if (world_.rank() == 1) registry.replicated("extra", &extra);
  const auto error = error_of([&] { store().save(1, registry, {}); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), Code::kBug);

  CheckpointStore both(world_, folder_, {2, {0}}, {});
  const auto owners = error_of([&] { both.save(1, StateRegistry{}, {}); });
  ASSERT_TRUE(owners.has_value());
  EXPECT_THAT(owners->message(), HasSubstr("owner"));
}

}  // namespace
}  // namespace tenfold::store
