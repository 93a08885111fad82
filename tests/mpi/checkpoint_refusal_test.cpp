// Checkpoints that must not be loaded: damaged ones are passed over, misfits end the run.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "checkpoint_model.hpp"
#include "store/checkpoint_commit.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using ::testing::AllOf;
using ::testing::HasSubstr;

class RefusalTest : public CheckpointTest {
 protected:
  fs::path step(std::uint64_t number) const { return folder_ / step_name(number); }

  void flip_byte(const fs::path& file, double where) const {
    std::string bytes = read_file(file);
    bytes[static_cast<std::size_t>(where * static_cast<double>(bytes.size()))] ^= 0x10;
    write_file(file, bytes);
  }
  std::optional<base::Error> load_error(const StateRegistry& registry) const {
    return error_of([&] { store().load_newest(registry); });
  }
  /// Every rank got the same misfit, whose text says all of these.
  void expect_misfit(const StateRegistry& registry, const std::vector<std::string>& says) const {
    const auto error = load_error(registry);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), Code::kCheckpoint);
    for (const auto& part : says) EXPECT_THAT(std::string(error->what()), HasSubstr(part));
  }
};

TEST_F(RefusalTest, DamageFallsBackToTheNextOlderAndSaysWhy) {
  for (int seed = 1; seed <= 4; ++seed) save(static_cast<std::uint64_t>(seed), seed);
  on_root([&] {
    flip_byte(step(4) / "state.h5", 0.5);
    const auto size = fs::file_size(step(3) / "state.h5");
    fs::resize_file(step(3) / "state.h5", size - 1);
    write_file(step(2) / "COMMIT.json", "{\"step\": 2");
  });
  Model model(shard_map(world_));
  const auto loaded = store().load_newest(model.registry());
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->step, 1U);
  EXPECT_EQ(model, filled(1));
  ASSERT_EQ(loaded->refused.size(), 3U);
  EXPECT_THAT(loaded->refused[0], AllOf(HasSubstr("step-000000000004"), HasSubstr("SHA-256")));
  EXPECT_THAT(loaded->refused[1], AllOf(HasSubstr("step-000000000003"), HasSubstr("bytes")));
  EXPECT_THAT(loaded->refused[2], AllOf(HasSubstr("step-000000000002"), HasSubstr("malformed")));

  on_root([&] { fs::remove(step(1) / "state.h5"); });
  const auto error = load_error(model.registry());
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), Code::kCheckpoint);
  for (int seed = 1; seed <= 4; ++seed) {
    EXPECT_THAT(error->message(), HasSubstr(step_name(static_cast<std::uint64_t>(seed))));
  }
}

TEST_F(RefusalTest, LinksAndOddNamesAreRefused) {
  save(10, 1);
  on_root([&] {
    fs::create_directory_symlink(step(10), step(20));
    fs::copy(step(10), folder_ / "step-30", fs::copy_options::recursive);
    fs::copy(step(10), step(40), fs::copy_options::recursive);
  });
  Model model(shard_map(world_));
  const auto loaded = store().load_newest(model.registry());
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->step, 10U);
  ASSERT_EQ(loaded->refused.size(), 3U);
  EXPECT_THAT(loaded->refused[0], AllOf(HasSubstr("step-30"), HasSubstr("not named")));
  EXPECT_THAT(loaded->refused[1], AllOf(HasSubstr("step-000000000040"), HasSubstr("of step 10")));
  EXPECT_THAT(loaded->refused[2], AllOf(HasSubstr("step-000000000020"), HasSubstr("symbolic")));
}

TEST_F(RefusalTest, AWrongIdentityEndsTheRunAndTriesNoOlderOne) {
  save(10, 1, "pendulum");
  save(20, 2, "cartpole");
  Model model(shard_map(world_));
  expect_misfit(model.registry("pendulum"),
                {"step-000000000020", "task", "'cartpole'", "'pendulum'"});
  StateRegistry more = model.registry();
  more.identity("critic_net", "400-300");
  expect_misfit(more, {"critic_net", "400-300"});
}

TEST_F(RefusalTest, AnotherKindOfRunIsSaidBeforeAllElse) {
  Model model(shard_map(world_));
  const auto of_kind = [&](const std::string& kind, const std::string& task) {
    StateRegistry registry = model.registry(task);
    registry.experiment(kind);
    return registry;
  };
  store().save(10, of_kind("learning", "pendulum"), {});
  expect_misfit(of_kind("planner", "cartpole"),
                {"another kind of run", "learning in the checkpoint, planner here", "--run-dir"});
  expect_misfit(of_kind("learning", "cartpole"), {"task", "'pendulum'", "'cartpole'"});
  expect_misfit(model.registry("pendulum"), {"experiment is 'learning' in the checkpoint"});
  EXPECT_TRUE(store().load_newest(of_kind("learning", "pendulum")).has_value());
  // A version that knew no kinds wrote this.
  save(20, 2, "pendulum");
  EXPECT_EQ(store().load_newest(of_kind("learning", "pendulum"))->step, 20U);
}

TEST_F(RefusalTest, MisfitsNameTheFieldAndBothSides) {
  save(10, 1);
  Model model(shard_map(world_));
  double extra = 0;
  StateRegistry more = model.registry();
  more.replicated("model/extra", &extra);
  expect_misfit(more, {"holds no 'model/extra'"});

  const auto without = [&](const std::string& name, StateField replacement) {
    const StateRegistry all = model.registry();
    StateRegistry changed;
    changed.identity("task", "cartpole");
    changed.identity("actor_net", "64-64");
    for (const auto& field : all.fields()) {
      if (field.name != name) changed.add(field);
    }
    if (!replacement.name.empty()) changed.add(std::move(replacement));
    return changed;
  };
  expect_misfit(without("rng/counter", {}), {"'rng/counter'", "which this run has not"});
  const auto data = [](std::size_t) -> void* { return nullptr; };
  expect_misfit(without("model/large",
                        {"model/large", Dtype::kFloat32, Scope::kReplicated, {kWide}, data, {}}),
                {"shape of 'model/large'", "[100000, 3]", "[300000]"});
  expect_misfit(
      without("model/large",
              {"model/large", Dtype::kInt32, Scope::kReplicated, {kWide / 3, 3}, data, {}}),
      {"type of 'model/large'", "float32", "int32"});
  expect_misfit(
      without("env/wide", {"env/wide", Dtype::kUint8, Scope::kReplicated, {kWide}, data, {}}),
      {"scope of 'env/wide'", "sharded", "replicated"});
}

TEST_F(RefusalTest, AnotherShardCountSaysWhichWorks) {
  save(10, 1);
  Model model(shard_map(world_));
  CheckpointStore other(world_, folder_, shard_map(world_, 16), {});
  const auto error = error_of([&] { other.load_newest(model.registry()); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), Code::kCheckpoint);
  EXPECT_THAT(error->message(), HasSubstr("8 virtual shards, this run has 16"));
  EXPECT_THAT(error->hint(), HasSubstr("--virtual-shards 8"));
}

// A file that was changed and committed again: only the digests inside can tell.
TEST_F(RefusalTest, ShardDigestsAreCheckedByTheirOwners) {
  save(10, 1);
  on_root([&] {
    {
      const Hdf5Session session;
      const Hid file =
          open_file(step(10) / "state.h5", H5F_ACC_RDWR, serial_access(H5F_LIBVER_V18, false));
      const Hid data(H5Dopen2(file.get(), "/checkpoint/rng/counter", H5P_DEFAULT), &H5Dclose,
                     "open", "counter");
      std::vector<std::uint64_t> values(kShards);
      ASSERT_GE(
          H5Dread(data.get(), H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
      ++values[kShards - 1];
      ASSERT_GE(
          H5Dwrite(data.get(), H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    }
    CommitRecord record = read_commit(step(10));
    record.sha256 = base::sha256_file(step(10) / "state.h5");
    write_file(step(10) / "COMMIT.json", commit_text(record));
  });
  EXPECT_NO_THROW(verify_checkpoint(step(10)));
  Model model(shard_map(world_));
  const auto error = load_error(model.registry());
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->message(), HasSubstr("'rng/counter' is damaged in shard 7"));
}

TEST_F(RefusalTest, ANamedCheckpointIsLoadedOrRefusedNeverReplaced) {
  save(10, 1);
  save(20, 2);
  Model model(shard_map(world_));
  EXPECT_EQ(store().load(step(10), model.registry()).step, 10U);
  EXPECT_EQ(model, filled(1));
  EXPECT_EQ(store().load(step(10) / "", model.registry()).step, 10U);
  on_root([&] { flip_byte(step(20) / "state.h5", 0.9); });
  for (const fs::path& bad : {step(20), step(30), folder_}) {
    const auto error = error_of([&] { store().load(bad, model.registry()); });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), Code::kCheckpoint);
    EXPECT_THAT(error->message(), HasSubstr(bad.string()));
  }
}

}  // namespace
}  // namespace tenfold::store
