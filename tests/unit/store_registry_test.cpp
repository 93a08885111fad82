#include <gmock/gmock.h>

#include "base/error.hpp"
#include "store/state_registry.hpp"

namespace tenfold::store {
namespace {

TEST(StateRegistry, KeepsFieldsInOrderWithTheirStorage) {
  StateRegistry registry;
  float weight[6] = {};
  std::int64_t counters[2] = {};
  registry.replicated("model/w", weight, {2, 3});
  registry.sharded<std::int64_t>("data/counter", {},
                                 [&](std::size_t shard) { return &counters[shard]; });
  ASSERT_EQ(registry.fields().size(), 2U);
  EXPECT_EQ(registry.fields()[0].dtype, Dtype::kFloat32);
  EXPECT_EQ(registry.fields()[0].data(0), weight);
  EXPECT_EQ(registry.fields()[1].scope, Scope::kSharded);
  EXPECT_EQ(registry.fields()[1].data(1), &counters[1]);
}

TEST(StateRegistry, RefusesNamesThatCollideOrAreNoPaths) {
  StateRegistry registry;
  float value = 0;
  registry.replicated("model/actor", &value);
  for (const char* name :
       {"model/actor", "model/actor/bias", "model", "", "/a", "a/", "a//b", "a/./b", "../a"}) {
    EXPECT_THROW(registry.replicated(name, &value), base::Error) << name;
  }
  registry.replicated("model/actor2", &value);
  EXPECT_EQ(registry.fields().size(), 2U);
}

TEST(StateRegistry, ARingUsesWhatWasWrittenUpToItsSlots) {
  StateRegistry registry;
  float slots[4] = {};
  std::uint64_t written = 0;
  const auto data = [&](std::size_t) { return slots; };
  const auto count = [&](std::size_t) { return written; };
  registry.ring<float>("replay/reward", {4}, data, count);
  for (const std::uint64_t rows : {0U, 3U, 4U, 4U}) {
    EXPECT_EQ(registry.fields()[0].rows(0), rows) << written;
    written += 3;
  }
  EXPECT_FALSE(registry.increments());
  EXPECT_THROW(registry.ring<float>("replay/none", {0, 3}, data, count), base::Error);
  EXPECT_THROW(registry.ring<float>("replay/one", {}, data, count), base::Error);
}

TEST(StateRegistry, RunsHooksInOrder) {
  StateRegistry registry;
  std::string calls;
  registry.on_save([&] { calls += 'a'; });
  registry.on_save([&] { calls += 'b'; });
  registry.on_load([&] { calls += 'c'; });
  registry.before_save();
  EXPECT_EQ(calls, "ab");
  registry.after_load();
  EXPECT_EQ(calls, "abc");
}

TEST(StateRegistry, DtypesHaveTheirSizes) {
  EXPECT_EQ(dtype_size(dtype_of<float>()), sizeof(float));
  EXPECT_EQ(dtype_size(dtype_of<double>()), sizeof(double));
  EXPECT_EQ(dtype_size(dtype_of<std::uint8_t>()), sizeof(std::uint8_t));
  EXPECT_EQ(dtype_size(dtype_of<std::uint64_t>()), sizeof(std::uint64_t));
  EXPECT_EQ(dtype_name(dtype_of<std::int32_t>()), "int32");
}

}  // namespace
}  // namespace tenfold::store
