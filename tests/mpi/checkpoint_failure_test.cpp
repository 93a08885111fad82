// Saves that fail: the same error on all ranks, older checkpoints untouched, the next save works.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>

#include "checkpoint_model.hpp"
#include "comm/fault.hpp"

namespace tenfold::store {
namespace {

using base::Code;
using ::testing::HasSubstr;

class FailureTest : public CheckpointTest {
 protected:
  ~FailureTest() override { set_fault(""); }

  void set_fault(const std::string& text) const {
    ::setenv("TENFOLD_FAULT", text.c_str(), 1);
    comm::configure_faults(world_.rank());
  }
  std::uint64_t newest(const Model& expected) const {
    Model model(shard_map(world_));
    const auto loaded = store().load_newest(model.registry());
    EXPECT_EQ(model, expected);
    return loaded ? loaded->step : 0;
  }
  void expect_failure(const std::optional<base::Error>& error, const std::string& says) const {
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), Code::kIo);
    EXPECT_THAT(error->message(), HasSubstr(says));
    EXPECT_FALSE(has_partial());
    EXPECT_EQ(newest(filled(1)), 10U);
  }
};

TEST_F(FailureTest, AFailureAtAnyPointLeavesTheOlderCheckpoint) {
  save(10, 1);
  for (const std::string_view point : comm::fault_points()) {
    if (!point.starts_with("ckpt.")) continue;
    SCOPED_TRACE(point);
    set_fault(fmt::format("enospc:rank=0:at={}", point));
    const auto error = error_of([&] { save(20, 2); });
    set_fault("");
    if (point == "ckpt.before_prune" || point == "ckpt.after_prune") {
      // By then the checkpoint is safe: only a warning.
      EXPECT_FALSE(error.has_value());
      EXPECT_EQ(newest(filled(2)), 20U);
      continue;
    }
    expect_failure(error, std::string(point));
  }
  save(20, 3);
  EXPECT_EQ(newest(filled(3)), 20U);
}

TEST_F(FailureTest, AFailureOfTheLastRankIsEveryRanks) {
  save(10, 1);
  for (const char* point : {"ckpt.before_create", "ckpt.after_write", "ckpt.after_close"}) {
    SCOPED_TRACE(point);
    set_fault(fmt::format("eio:rank={}:at={}", world_.size() - 1, point));
    const auto error = error_of([&] { save(20, 2); });
    set_fault("");
    expect_failure(error, point);
  }
}

TEST_F(FailureTest, AFailureWhileReplacingAStepKeepsIt) {
  save(10, 1);
  set_fault("eio:rank=0:at=ckpt.before_commit");
  const auto error = error_of([&] { save(10, 2); });
  set_fault("");
  expect_failure(error, "ckpt.before_commit");
}

TEST_F(FailureTest, AShortFileIsFoundBeforeAnythingOldGoes) {
  save(10, 1);
  set_fault("short:rank=0:at=ckpt.after_commit");
  const auto error = error_of([&] { save(20, 2); });
  set_fault("");
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->message(), HasSubstr("bytes"));
  EXPECT_EQ(newest(filled(1)), 10U);
}

TEST_F(FailureTest, TooLittleSpaceIsSaidBeforeWriting) {
  save(10, 1);
  StateRegistry huge;
  std::uint8_t byte = 0;
  huge.replicated("model/huge", &byte, {1ULL << 50});  // never read: the check comes first
  const auto error = error_of([&] { store().save(20, huge, {}); });
  expect_failure(error, "free");
}

// RLIMIT_FSIZE fails writes in the kernel, as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t most) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limited = before_;
    limited.rlim_cur = most;
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(FailureTest, AFailingDiskLeavesTheOlderCheckpointAndTheRunAlive) {
  save(10, 1);
  for (const rlim_t most : {rlim_t{1000}, rlim_t{100000}, rlim_t{2000000}}) {
    SCOPED_TRACE(most);
    const auto error = error_of([&] {
      const FileSizeLimit limit(most);
      save(20, 2);
    });
    expect_failure(error, "File too large");
  }
  save(20, 3);
  EXPECT_EQ(newest(filled(3)), 20U);
}

// A quota or a file system that cannot reserve space: the failure comes in the collective write.
TEST_F(FailureTest, AWriteThatFailsOnOneRankEndsOnAll) {
  if (world_.size() == 1) GTEST_SKIP() << "needs two ranks";
  save(10, 1);
  const auto error = error_of([&] {
    const FileSizeLimit limit(world_.rank() == world_.size() - 1 ? rlim_t{100000} : RLIM_INFINITY);
    save(20, 2);
  });
  // Whether MPI-IO lets this rank write itself is MPI-IO's choice; all ranks must tell the same.
  EXPECT_EQ(world_.all_reduce(std::uint64_t{error.has_value()}, comm::Op::kSum) %
                static_cast<std::uint64_t>(world_.size()),
            0U);
  if (error) {
    expect_failure(error, "cannot write");
  } else {
    EXPECT_EQ(newest(filled(2)), 20U);
  }
}

TEST_F(FailureTest, LeftoversOfAKilledSaveGoWithTheNext) {
  save(10, 1);
  on_root([&] {
    std::filesystem::create_directory(folder_ / "step-000000000015.partial");
    write_file(folder_ / "step-000000000015.partial" / "state.h5", "half");
  });
  EXPECT_EQ(interrupted_checkpoints(folder_),
            std::vector<std::string>{"step-000000000015.partial"});
  world_.barrier();
  save(20, 2);
  EXPECT_FALSE(has_partial());
  EXPECT_TRUE(interrupted_checkpoints(folder_).empty());
}

}  // namespace
}  // namespace tenfold::store
