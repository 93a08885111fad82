#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::base {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class File : public test::TemporaryFolder {
 protected:
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      found.push_back(entry.path().filename().string());
    }
    return found;
  }
};

// The message of the Code::kIo error that the call must throw.
template <class Call>
std::string io_error(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

// Writes beyond this many bytes fail as on a full disk, half way through.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

class DataDirVariable {
 public:
  explicit DataDirVariable(const std::string& value) {
    if (const char* set = std::getenv("TENFOLD_DATA_DIR")) before_ = set;
    setenv("TENFOLD_DATA_DIR", value.c_str(), 1);
  }
  ~DataDirVariable() { setenv("TENFOLD_DATA_DIR", before_.c_str(), 1); }
  DataDirVariable(const DataDirVariable&) = delete;
  DataDirVariable& operator=(const DataDirVariable&) = delete;

 private:
  std::string before_;
};

TEST_F(File, ReadsEveryByte) {
  const std::string text("a\0b\r\n\xff", 6);
  EXPECT_EQ(read_text(put("some", text)), text);
  EXPECT_EQ(read_text(put("empty", "")), "");
  const std::string several_pieces(200001, 'x');
  EXPECT_EQ(read_text(put("long", several_pieces)), several_pieces);
}

TEST_F(File, ReadRefusesMoreThanItsLimit) {
  const fs::path path = put("ten", "0123456789");
  EXPECT_EQ(read_text(path, 10), "0123456789");
  EXPECT_THAT(io_error([&] { read_text(path, 9); }),
              AllOf(HasSubstr(path.string()), HasSubstr("larger than 9 B")));
  EXPECT_THAT(io_error([] { read_text("/dev/zero", 9); }), HasSubstr("not a regular file"));
}

TEST_F(File, ReadSaysWhyNot) {
  EXPECT_THAT(io_error([&] { read_text(folder_ / "missing"); }),
              AllOf(HasSubstr((folder_ / "missing").string()), HasSubstr("No such file")));
  EXPECT_THAT(io_error([&] { read_text(folder_); }),
              AllOf(HasSubstr(folder_.string()), HasSubstr("not a regular file")));
  const fs::path file = put("file", "");
  EXPECT_THAT(io_error([&] { read_text(file / "below"); }), HasSubstr("file/below"));
  // Opening a pipe that nobody writes to would wait for ever.
  mkfifo((folder_ / "pipe").c_str(), 0600);
  EXPECT_THAT(io_error([&] { read_text(folder_ / "pipe"); }), HasSubstr("not a regular file"));
}

TEST_F(File, WriteAtomicReplacesAndLeavesNothingElse) {
  const fs::path path = folder_ / "state";
  write_atomic(path, "one");
  EXPECT_EQ(read_text(path), "one");
  write_atomic(path, "2");
  EXPECT_EQ(read_text(path), "2");
  EXPECT_EQ(names(), std::vector<std::string>{"state"});
}

TEST_F(File, WriteAtomicKeepsTheOldFileWhenTheDiskIsFull) {
  const fs::path path = put("state", "old");
  std::string message;
  {
    const FileSizeLimit limit(100);
    message = io_error([&] { write_atomic(path, std::string(1000, 'n')); });
  }
  EXPECT_THAT(message, AllOf(HasSubstr(path.string()), HasSubstr("File too large")));
  EXPECT_EQ(read_text(path), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"state"});
}

TEST_F(File, WriteAtomicKeepsTheOldFileWhenItCannotMakeTheNewOne) {
  const fs::path path = put("state", "old");
  fs::create_directory(folder_ / "state.tmp");
  EXPECT_THAT(io_error([&] { write_atomic(path, "new"); }), HasSubstr("Is a directory"));
  EXPECT_EQ(read_text(path), "old");
}

TEST_F(File, WriteAtomicSaysWhyNot) {
  const fs::path file = put("file", "old");
  EXPECT_THAT(io_error([&] { write_atomic(file / "below", "new"); }),
              AllOf(HasSubstr("file/below"), HasSubstr("Not a directory")));
  EXPECT_THAT(io_error([&] { write_atomic(folder_ / "no" / "folder", "new"); }),
              AllOf(HasSubstr("no/folder"), HasSubstr("No such file")));
  EXPECT_THAT(io_error([&] { write_atomic("/proc/tenfold", "new"); }), HasSubstr("/proc/tenfold"));
  EXPECT_EQ(read_text(file), "old");
  // A folder of that name is not replaced, and the new text does not stay behind.
  fs::create_directory(folder_ / "folder");
  EXPECT_THAT(io_error([&] { write_atomic(folder_ / "folder", "new"); }),
              HasSubstr("Is a directory"));
  EXPECT_FALSE(fs::exists(folder_ / "folder.tmp"));
}

TEST_F(File, SyncTakesFilesAndFolders) {
  EXPECT_NO_THROW(sync_path(put("file", "x")));
  EXPECT_NO_THROW(sync_path(folder_));
  EXPECT_THAT(io_error([&] { sync_path(folder_ / "missing"); }),
              AllOf(HasSubstr("missing"), HasSubstr("No such file")));
}

TEST_F(File, MakesFoldersWithTheirParents) {
  make_directories(folder_ / "a" / "b");
  EXPECT_TRUE(fs::is_directory(folder_ / "a" / "b"));
  EXPECT_NO_THROW(make_directories(folder_ / "a" / "b"));
  const fs::path file = put("file", "");
  EXPECT_THAT(io_error([&] { make_directories(file); }), HasSubstr(file.string()));
  EXPECT_THAT(io_error([&] { make_directories(file / "below"); }),
              AllOf(HasSubstr("file/below"), HasSubstr("Not a directory")));
}

TEST_F(File, FreeBytesAreThoseOfTheFileSystem) {
  EXPECT_EQ(free_bytes("/proc"), 0U);
  EXPECT_LE(free_bytes(folder_), fs::space(folder_).capacity);
  EXPECT_GT(free_bytes(folder_), 0U);
  EXPECT_THAT(io_error([&] { free_bytes(folder_ / "missing"); }), HasSubstr("missing"));
}

TEST(ExecutablePath, IsThisTest) {
  EXPECT_EQ(executable_path().filename(), "unit_base");
}

TEST_F(File, DataComesFromTheNamedFolderFirst) {
  fs::create_directory(folder_ / "mjcf");
  const fs::path file = put("mjcf/pendulum.xml", "<mujoco/>");
  const DataDirVariable variable(folder_.string());
  EXPECT_EQ(data_file("mjcf/pendulum.xml"), file);
}

TEST_F(File, DataComesFromTheCheckoutElse) {
  if (executable_path().string().rfind(TENFOLD_SOURCE_DIR "/", 0) != 0) {
    GTEST_SKIP() << "built outside the checkout";
  }
  const fs::path file = fs::path(TENFOLD_SOURCE_DIR) / "data" / "mjcf" / "pendulum.xml";
  for (const std::string& set : {std::string(), folder_.string()}) {
    const DataDirVariable variable(set);
    EXPECT_TRUE(fs::equivalent(data_file("mjcf/pendulum.xml"), file)) << set;
  }
}

TEST_F(File, MissingDataNamesEveryPlace) {
  const DataDirVariable variable(folder_.string());
  const fs::path program = executable_path().parent_path();
  try {
    data_file("mjcf/no_such_model.xml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("mjcf/no_such_model.xml"), HasSubstr(folder_.string()),
                      HasSubstr((program / "data").string()),
                      HasSubstr((program.parent_path() / "share/tenfold/data").string())));
    EXPECT_THAT(error.hint(), HasSubstr("TENFOLD_DATA_DIR"));
  }
}

}  // namespace
}  // namespace tenfold::base
