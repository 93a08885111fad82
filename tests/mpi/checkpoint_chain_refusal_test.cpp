// Chains that must not be loaded: a fault of any member refuses all that build on it, aloud, and an
// older checkpoint is used.
#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "checkpoint_rings.hpp"

namespace tenfold::store {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ChainRefusalTest : public RingTest {
 protected:
  /// Steps 1 to 4, of which 2, 3 and 4 build on those before; a full 0 that nothing builds on.
  void SetUp() override {
    Rings rings(shard_map(world_));
    const StateRegistry registry = rings.registry();
    rings.add_each(1);
    rings.step = 0;
    store({100, 0}).save(0, registry, {});
    CheckpointStore target = store({100, 0});
    for (std::uint64_t step = 1; step <= 4; ++step) {
      rings.add_each(2);
      target.save(step, registry, {});
      saved_.push_back(rings);
    }
    ASSERT_THAT(needs(4), ElementsAre(1, 2, 3));
  }
  /// What load_newest says of the newer ones, newest first; the state must be that of `used`.
  std::vector<std::string> refused(std::uint64_t used) const {
    Rings found(shard_map(world_));
    const auto loaded = store().load_newest(found.registry());
    EXPECT_EQ(loaded ? loaded->step : 99, used);
    if (used > 0) {
      EXPECT_EQ(found, saved_.at(used - 1));
    }
    return loaded ? loaded->refused : std::vector<std::string>{};
  }
  void edit(std::uint64_t step, const std::function<void(json&)>& change) const {
    on_root([&] {
      const fs::path file = folder_of(step) / kCommitFile;
      json record = json::parse(read_file(file));
      change(record);
      write_file(file, record.dump());
    });
  }
  void flip_byte(const fs::path& file) const {
    on_root([&] {
      std::string bytes = read_file(file);
      bytes[bytes.size() / 2] ^= 0x10;
      write_file(file, bytes);
    });
  }

  std::vector<Rings> saved_;
};

TEST_F(ChainRefusalTest, DamageOfAMemberRefusesAllThatBuildOnIt) {
  EXPECT_THAT(refused(4), ElementsAre());
  flip_byte(folder_of(3) / kStateFile);
  EXPECT_THAT(refused(2),
              ElementsAre(AllOf(HasSubstr("step-000000000004: it builds on step-000000000003"),
                                HasSubstr("SHA-256")),
                          AllOf(HasSubstr("step-000000000003: "), HasSubstr("SHA-256"))));
  on_root([&] { fs::resize_file(folder_of(2) / kStateFile, 1000); });
  EXPECT_THAT(refused(1)[0], AllOf(HasSubstr("builds on step-000000000002"), HasSubstr("bytes")));
  on_root([&] { fs::remove_all(folder_of(1)); });
  EXPECT_THAT(refused(0)[0], AllOf(HasSubstr("builds on step-000000000001")));
}

TEST_F(ChainRefusalTest, AMemberOfAnotherRunIsRefused) {
  // Whole by itself, of the same step, and not what 3 and 4 were written after.
  on_root([&] {
    const auto self = comm::Communicator::self();
    Rings other(shard_map(self));
    const StateRegistry registry = other.registry();
    CheckpointStore alone(self, folder_ / "other", shard_map(self), {100, 0});
    for (std::uint64_t step = 1; step <= 2; ++step) {
      other.add_each(4);
      alone.save(step, registry, {});
    }
    fs::remove_all(folder_of(2));
    fs::rename(folder_ / "other" / step_name(2), folder_of(2));
  });
  const auto reasons = refused(1);
  ASSERT_EQ(reasons.size(), 3U);
  EXPECT_THAT(reasons[0], HasSubstr("not the one that it was written after"));
  EXPECT_THAT(reasons[1], HasSubstr("not the one that it was written after"));
  EXPECT_THAT(reasons[2], AllOf(HasSubstr("step-000000000002: it builds on step-000000000001")));
}

TEST_F(ChainRefusalTest, AMemberThatIsALinkIsRefused) {
  on_root([&] {
    fs::rename(folder_of(3), folder_ / "aside");
    fs::create_directory_symlink(folder_ / "aside", folder_of(3));
  });
  EXPECT_THAT(refused(2)[0], AllOf(HasSubstr("builds on"), HasSubstr("symbolic link")));
}

TEST_F(ChainRefusalTest, ForgedNeedsAreRefused) {
  const json good = json::parse(read_file(folder_of(4) / kCommitFile))["needs"];
  const auto entry = [&](std::uint64_t step) -> json {
    return {{"step", step}, {"sha256", good[0]["sha256"]}};
  };
  json many = json::array();
  for (std::uint64_t step = 0; step < 4; ++step) many.push_back(entry(step));
  for (int i = 0; i < 1000; ++i) many.push_back(entry(3));
  const std::vector<std::pair<json, std::string>> forged = {
      {json::array(), "builds on no other"},
      {"all", "malformed"},
      {json::array({1, 2, 3}), "malformed"},
      {many, "malformed"},
      {json::array({good[0], good[2], good[1]}), "do not grow"},
      {json::array({good[0], good[0]}), "do not grow"},
      {json::array({good[0], good[1], good[2], entry(4)}), "not earlier"},
      {json::array({good[0], good[1], good[2], entry(7)}), "not earlier"},
      {json::array({{{"step", 1}, {"sha256", "../1"}}}), "64 hex"},
      {json::array({{{"step", -1}, {"sha256", good[0]["sha256"]}}}), "whole number"},
      {json::array({entry(2)}), "not the one"},
      {json::array({good[1], good[2]}), "builds on others"},
      {json::array({good[0], good[2]}), "builds on others"},
      {json::array({good[0], good[1]}), "do not follow"},
      {json::array({good[0]}), "do not follow"}};
  for (const auto& [needs, reason] : forged) {
    SCOPED_TRACE(needs.dump().substr(0, 200));
    edit(4, [&, &list = needs](json& record) { record["needs"] = list; });
    const auto reasons = refused(3);
    ASSERT_EQ(reasons.size(), 1U);
    EXPECT_THAT(reasons[0], AllOf(HasSubstr("step-000000000004"), HasSubstr(reason)));
  }
  // A full one that claims to build on another.
  edit(4, [&](json& record) { record["needs"] = good; });
  edit(1, [&](json& record) {
    record["needs"] = json::array({{{"step", 0}, {"sha256", this->record(0).sha256}}});
  });
  const auto reasons = refused(0);
  ASSERT_EQ(reasons.size(), 4U);
  EXPECT_THAT(reasons[0], HasSubstr("which builds on others"));
  EXPECT_THAT(reasons[3], HasSubstr("is whole"));
}

TEST_F(ChainRefusalTest, AHugeFileWithHolesIsRefusedUnread) {
  on_root([&] {
    write_file(folder_of(4) / kStateFile, "");
    fs::resize_file(folder_of(4) / kStateFile, 1ULL << 40);
    write_file(folder_of(3) / kStateFile, "");
    fs::resize_file(folder_of(3) / kStateFile, 1ULL << 40);
  });
  for (const std::uint64_t step : {3, 4}) {
    edit(step, [](json& record) { record["bytes"] = 1ULL << 40; });
  }
  const auto before = std::chrono::steady_clock::now();
  const auto reasons = refused(2);
  // A terabyte takes an hour to digest.
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_THAT(reasons[0], AllOf(HasSubstr("step-000000000003"), HasSubstr("takes at most")));
  EXPECT_THAT(reasons[1], HasSubstr("takes at most"));
}

}  // namespace
}  // namespace tenfold::store
