#include "store/run_directory.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "checkpoint_model.hpp"
#include "store/manifest.hpp"

namespace tenfold::store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using ::testing::AllOf;
using ::testing::HasSubstr;

class RunDirectoryTest : public CheckpointTest {
 protected:
  std::optional<base::Error> opening_error(const fs::path& path) const {
    return error_of([&] { RunDirectory directory(world_, path); });
  }
};

TEST_F(RunDirectoryTest, CreatesItsPartsAndTakesThemOverAgain) {
  const fs::path path = folder_ / "deep" / "run";
  {
    const RunDirectory directory(world_, path);
    EXPECT_FALSE(directory.existed());
    EXPECT_TRUE(fs::is_directory(path / "checkpoint"));
    EXPECT_TRUE(fs::is_directory(path / "metrics"));
    EXPECT_EQ(directory.log(3), path / "logs" / "rank-00003.log");
    EXPECT_TRUE(fs::is_directory(directory.log(3).parent_path()));
    EXPECT_EQ(directory.checkpoints(), path / "checkpoint");
    on_root([&] {
      EXPECT_EQ(directory.next_segment(), path / "metrics" / "seg-0000.h5");
      write_file(path / "metrics" / "seg-0004.h5", "");
      EXPECT_EQ(directory.next_segment(), path / "metrics" / "seg-0005.h5");
    });
  }
  {
    const RunDirectory again(world_, path);  // killed before it wrote its manifest
    EXPECT_FALSE(again.existed());
    on_root([&] { write_manifest(again.manifest(), {{"app", "ddpg"}}); });
  }
  const RunDirectory third(world_, path);
  EXPECT_TRUE(third.existed());
}

TEST_F(RunDirectoryTest, OneJobAtATime) {
  const RunDirectory directory(world_, folder_);
  const auto error = opening_error(folder_);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), Code::kUsage);
  const auto owner = world_.broadcast_text(std::to_string(::getpid()));
  EXPECT_THAT(error->message(), AllOf(HasSubstr("in use"), HasSubstr("process " + owner),
                                      HasSubstr(comm::host_name()), HasSubstr("since 20"),
                                      HasSubstr(folder_.string())));
}

TEST_F(RunDirectoryTest, TheLockGoesWithItsOwnerAndAStaleNoteIsHarmless) {
  { const RunDirectory directory(world_, folder_); }
  on_root([&] { write_file(folder_ / ".lock", "elsewhere:1:2020-01-01T00:00:00Z\n"); });
  EXPECT_FALSE(opening_error(folder_).has_value());
}

TEST_F(RunDirectoryTest, AForeignFolderIsRefusedUntouched) {
  on_root([&] { write_file(folder_ / "thesis.tex", "years of work"); });
  const auto error = opening_error(folder_);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), Code::kUsage);
  EXPECT_THAT(error->message(), HasSubstr("thesis.tex"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(RunDirectoryTest, FilesAndImpossiblePathsAreRefused) {
  on_root([&] { write_file(folder_ / "plain", ""); });
  const auto file = opening_error(folder_ / "plain");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->code(), Code::kUsage);
  const auto below = opening_error(folder_ / "plain" / "run");
  ASSERT_TRUE(below.has_value());
  EXPECT_EQ(below->code(), Code::kIo);
  const auto none = opening_error("");
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ(none->code(), Code::kUsage);
}

TEST_F(RunDirectoryTest, TouchFilesAreSeenAndConsumed) {
  const RunDirectory directory(world_, folder_);
  on_root([&] {
    EXPECT_FALSE(directory.touched("STOP"));
    write_file(folder_ / "STOP", "");
    EXPECT_TRUE(directory.touched("STOP"));
    directory.consume("STOP");
    EXPECT_FALSE(directory.touched("STOP"));
    directory.consume("STOP");
  });
}

}  // namespace
}  // namespace tenfold::store
