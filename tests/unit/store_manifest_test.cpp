#include <gmock/gmock.h>

#include "base/error.hpp"
#include "store/h5_file.hpp"
#include "store/manifest.hpp"
#include "store/run_reader.hpp"
#include "store_folder.hpp"

namespace tenfold::store {
namespace {

using base::Code;
using base::Error;

class ManifestTest : public FolderTest {
 protected:
  Code code_of_reading() {
    try {
      read_manifest(folder_);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kOk;
  }
  std::filesystem::path file() const { return folder_ / "manifest.h5"; }
};

TEST_F(ManifestTest, ReadsBackWhatWasWritten) {
  const Manifest manifest = {{"app", "ddpg"},
                             {"paper",
                              "Lillicrap et al., \xE2\x80\x9C"
                              "Continuous control\xE2\x80\x9D"},
                             {"config", "{\"a\":" + std::string(200000, '1') + "}"},
                             {"git_dirty", ""},
                             {"seed", "17"}};
  write_manifest(file(), {{"app", "before"}, {"stale", "yes"}});
  write_manifest(file(), manifest);
  EXPECT_EQ(read_manifest(folder_), manifest);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "manifest.h5.tmp"));
}

TEST_F(ManifestTest, HasTheSchemaAtItsRoot) {
  write_manifest(file(), {{"app", "ddpg"}});
  const Hdf5Session session;
  const Hid opened = open_file(file(), H5F_ACC_RDONLY, serial_access(H5F_LIBVER_V18, false));
  EXPECT_EQ(read_text(opened.get(), "schema"), "tenfold-run");
  EXPECT_EQ(read_integer(opened.get(), "schema_version"), 1);
  EXPECT_THAT(read_text(opened.get(), "created_utc"),
              ::testing::MatchesRegex("20[0-9-]+T[0-9:]+Z"));
  EXPECT_THAT(read_text(opened.get(), "writer"), ::testing::StartsWith("tenfold "));
}

TEST_F(ManifestTest, AFolderWithoutOneIsNotARun) {
  EXPECT_EQ(code_of_reading(), Code::kData);
}

TEST_F(ManifestTest, GarbageIsRefused) {
  write_file(file(), "this is not HDF5");
  EXPECT_EQ(code_of_reading(), Code::kIo);
}

TEST_F(ManifestTest, ALaterSchemaIsRefused) {
  write_manifest(file(), {{"app", "ddpg"}});
  {
    const Hdf5Session session;
    const Hid opened = open_file(file(), H5F_ACC_RDWR, serial_access(H5F_LIBVER_V18, false));
    ASSERT_GE(H5Adelete(opened.get(), "schema_version"), 0);
    write_integer(opened.get(), "schema_version", 2);
  }
  EXPECT_EQ(code_of_reading(), Code::kData);
}

TEST_F(ManifestTest, AFailureLeavesNothingBehind) {
  write_file(folder_ / "plain", "");
  EXPECT_THROW(write_manifest(folder_ / "plain" / "manifest.h5", {{"app", "ddpg"}}), Error);
  // The rename fails: a folder has the name.
  std::filesystem::create_directory(file());
  EXPECT_THROW(write_manifest(file(), {{"app", "ddpg"}}), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "manifest.h5.tmp"));
}

TEST_F(ManifestTest, DescribesHdf5) {
  EXPECT_THAT(hdf5_description(), ::testing::HasSubstr("(parallel)"));
}

}  // namespace
}  // namespace tenfold::store
