#include <gmock/gmock.h>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "store/checkpoint_commit.hpp"
#include "store_folder.hpp"

namespace tenfold::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CommitTest : public FolderTest {
 protected:
  fs::path commit(std::uint64_t step, const std::string& state = "state") {
    const fs::path path = folder_ / step_name(step);
    fs::create_directory(path);
    write_file(path / kStateFile, state);
    CommitRecord record;
    record.step = step;
    record.bytes = state.size();
    record.sha256 = base::sha256_text(state);
    record.world_size = 2;
    record.shards = 8;
    record.created_utc = "2026-01-31T12:00:00Z";
    record.metadata = {{"phase", "train \"quoted\""}};
    write_file(path / kCommitFile, commit_text(record));
    return path;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      all.push_back(entry.path().filename().string());
    }
    std::sort(all.begin(), all.end());
    return all;
  }
  static std::string refusal(const fs::path& path) {
    try {
      verify_checkpoint(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCheckpoint);
      EXPECT_THAT(error.message(), HasSubstr(path.filename().string()));
      return error.message();
    }
    return "accepted";
  }
};

TEST(StepName, RoundTripsAndRefusesOthers) {
  EXPECT_EQ(step_name(12000), "step-000000012000");
  for (const std::uint64_t step : {0ULL, 12000ULL, 999999999999ULL, 1000000000000ULL}) {
    EXPECT_EQ(step_of_name(step_name(step)), step);
  }
  EXPECT_EQ(step_of_name("step-000000012000.old"), 12000U);
  for (const char* name : {"step-12000", "step-", "step-00000001200x", "step-0000000012000",
                           "step-000000012000.partial", "step-+00000012000", "STEP-000000012000",
                           "step-99999999999999999999", "step--00000012000"}) {
    EXPECT_EQ(step_of_name(name), std::nullopt) << name;
  }
}

TEST_F(CommitTest, AcceptsWhatItWrote) {
  const CommitRecord record = verify_checkpoint(commit(7));
  EXPECT_EQ(record.step, 7U);
  EXPECT_EQ(record.bytes, 5U);
  EXPECT_EQ(record.world_size, 2);
  EXPECT_EQ(record.shards, 8U);
  EXPECT_EQ(record.metadata.at("phase"), "train \"quoted\"");
  EXPECT_EQ(verify_checkpoint(folder_ / step_name(7) / "").step, 7U);
}

TEST_F(CommitTest, RefusesDamage) {
  const fs::path path = commit(7);
  write_file(path / kStateFile, "sta_e");
  EXPECT_THAT(refusal(path), HasSubstr("SHA-256"));
  write_file(path / kStateFile, "stat");
  EXPECT_THAT(refusal(path), HasSubstr("4 bytes"));
  fs::remove(path / kStateFile);
  EXPECT_THAT(refusal(path), HasSubstr("missing"));
  fs::remove(path / kCommitFile);
  EXPECT_THAT(refusal(path), HasSubstr("no COMMIT.json"));
}

TEST_F(CommitTest, RefusesLinksAndOddNames) {
  const fs::path path = commit(7);
  fs::create_directory_symlink(path, folder_ / step_name(8));
  EXPECT_THAT(refusal(folder_ / step_name(8)), HasSubstr("symbolic link"));
  fs::rename(path, folder_ / "step-7");
  EXPECT_THAT(refusal(folder_ / "step-7"), HasSubstr("not named"));
  fs::rename(folder_ / "step-7", folder_ / step_name(9));
  EXPECT_THAT(refusal(folder_ / step_name(9)), HasSubstr("of step 7"));
  const fs::path linked = commit(10);
  fs::rename(linked / kStateFile, folder_ / "elsewhere");
  fs::create_symlink(folder_ / "elsewhere", linked / kStateFile);
  EXPECT_THAT(refusal(linked), HasSubstr("plain file"));
}

TEST_F(CommitTest, ParsesStrictly) {
  const fs::path path = commit(7);
  const std::string good = read_file(path / kCommitFile);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::string digest = base::sha256_text("state");
  const std::vector<std::string> bad = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        good.substr(0, good.size() / 2),
                                        good + "x",
                                        with("\"step\": 7", "\"step\": -7"),
                                        with("\"step\": 7", "\"step\": 7.0"),
                                        with("\"step\": 7", "\"step\": \"7\""),
                                        with("\"step\": 7", "\"stop\": 7"),
                                        with("\"bytes\": 5", "\"bytes\": 1e400"),
                                        with("\"bytes\": 5", "\"bytes\": 99999999999999999999"),
                                        with(digest, digest.substr(1)),
                                        with(digest, "Z" + digest.substr(1)),
                                        with("\"schema_version\": 1", "\"schema_version\": 2"),
                                        with("tenfold-checkpoint", "another"),
                                        with("state.h5", "../../etc/passwd"),
                                        with("\"world_size\": 2", "\"world_size\": 0"),
                                        with("\"phase\": \"train \\\"quoted\\\"\"", "\"phase\": 3"),
                                        std::string(100000, '['),
                                        std::string(2U << 20, ' ') + good};
  for (const auto& text : bad) {
    write_file(path / kCommitFile, text);
    EXPECT_NE(refusal(path), "accepted") << text.substr(0, 200);
  }
  write_file(path / kCommitFile, with("{", "{\"a later field\": [1, 2],"));
  EXPECT_EQ(refusal(path), "accepted");
}

TEST_F(CommitTest, ListsNewestFirst) {
  for (const std::uint64_t step : {5ULL, 1000000000000ULL, 20ULL}) commit(step);
  fs::create_directory(folder_ / "step-000000000030");
  fs::create_directory(folder_ / "step-000000000040.partial");
  fs::remove(commit(50) / kCommitFile);
  write_file(commit(60) / kCommitFile, "{}");
  std::vector<std::string> listed;
  for (const auto& path : list_checkpoints(folder_)) listed.push_back(path.filename().string());
  EXPECT_THAT(listed, ElementsAre("step-1000000000000", "step-000000000020", "step-000000000005"));
  EXPECT_EQ(commit_candidates(folder_).size(), 4U) << "the malformed one is refused, not ignored";
  EXPECT_THAT(list_checkpoints(folder_ / "absent"), IsEmpty());
}

TEST_F(CommitTest, KeepsTheNewestAndTheMilestones) {
  for (std::uint64_t step = 10; step <= 100; step += 10) commit(step);
  prune_checkpoints(folder_, 100, {2, 30});
  EXPECT_THAT(names(), ElementsAre("step-000000000030", "step-000000000060", "step-000000000090",
                                   "step-000000000100"));
  prune_checkpoints(folder_, 100, {0, 0});
  EXPECT_THAT(names(), ElementsAre("step-000000000100"));
}

TEST_F(CommitTest, PruningCountsOnlyWhatCanBeLoaded) {
  for (const std::uint64_t step : {10ULL, 20ULL, 30ULL, 40ULL}) commit(step);
  write_file(folder_ / step_name(30) / kCommitFile, "damaged");
  fs::create_directory(folder_ / "step-000000000025");
  fs::create_directory(folder_ / "step-000000000035.partial");
  write_file(folder_ / "notes.txt", "mine");
  prune_checkpoints(folder_, 40, {2, 0});
  EXPECT_THAT(names(), ElementsAre("notes.txt", "step-000000000020", "step-000000000030",
                                   "step-000000000040"));
}

TEST_F(CommitTest, LaterStepsAreSetAsideNotDeleted) {
  for (const std::uint64_t step : {10ULL, 20ULL, 30ULL}) commit(step);
  prune_checkpoints(folder_, 20, {2, 0});
  const auto left = names();
  ASSERT_EQ(left.size(), 3U);
  EXPECT_THAT(left[2], ::testing::StartsWith("step-000000000030.superseded-"));
  ASSERT_EQ(commit_candidates(folder_).size(), 2U);
  EXPECT_EQ(commit_candidates(folder_).front().filename(), "step-000000000020");
}

TEST_F(CommitTest, ACheckpointBeingReplacedStaysLoadable) {
  const fs::path path = commit(20);
  PendingCheckpoint pending(folder_, 20);
  pending.prepare(0);
  write_file(pending.state_file(), "newer");
  CommitRecord record = read_commit(path);
  pending.commit(&record);
  EXPECT_EQ(read_file(path / kStateFile), "newer");
  EXPECT_EQ(verify_checkpoint(path).sha256, base::sha256_text("newer"));
  // Not pruned yet: a kill between the two renames would leave only this one.
  EXPECT_EQ(verify_checkpoint(folder_ / "step-000000000020.old").sha256,
            base::sha256_text("state"));
  pending.withdraw();
  EXPECT_THAT(names(), ElementsAre("step-000000000020"));
  EXPECT_EQ(read_file(path / kStateFile), "state");
}

TEST_F(CommitTest, ReplacingSurvivesALeftoverOfAnEarlierReplacement) {
  commit(20, "older");
  fs::rename(folder_ / step_name(20), folder_ / "step-000000000020.old");
  const fs::path path = commit(20, "newer");
  write_file(path / kStateFile, "damag");  // so the leftover is the only whole one
  PendingCheckpoint pending(folder_, 20);
  pending.prepare(0);
  write_file(pending.state_file(), "third");
  CommitRecord record = read_commit(path);
  pending.commit(&record);
  EXPECT_EQ(read_file(path / kStateFile), "third");
  pending.withdraw();
  EXPECT_EQ(read_file(path / kStateFile), "older");
}

TEST_F(CommitTest, AFullDiskIsNoticedBeforeWriting) {
  commit(10);
  PendingCheckpoint pending(folder_, 20);
  try {
    pending.prepare(UINT64_MAX);
    FAIL() << "no disk is that large";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo);
    EXPECT_THAT(error.message(), HasSubstr("free"));
  }
  EXPECT_THAT(names(), ElementsAre("step-000000000010"));
}

}  // namespace
}  // namespace tenfold::store
