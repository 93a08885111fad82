#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "base/error.hpp"
#include "store/h5_file.hpp"
#include "store_folder.hpp"

namespace tenfold::store {
namespace {

using ::testing::HasSubstr;

class HidTest : public FolderTest {};

TEST_F(HidTest, FailuresCarryTheSystemsReason) {
  const Hdf5Session session;
  try {
    open_file(folder_ / "absent.h5", H5F_ACC_RDONLY, serial_access(H5F_LIBVER_V18, false));
    FAIL() << "opened a file that is not there";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kIo);
    EXPECT_EQ(error.message(), "cannot open the file: No such file or directory");
  }
}

TEST_F(HidTest, FailuresWithoutASystemReasonSayWhatHdf5Says) {
  const Hdf5Session session;
  write_file(folder_ / "text.h5", std::string(4096, 'x'));
  try {
    open_file(folder_ / "text.h5", H5F_ACC_RDONLY, serial_access(H5F_LIBVER_V18, false));
    FAIL() << "opened a text";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("file signature not found"));
  }
  EXPECT_EQ(H5Eget_num(H5E_DEFAULT), 0) << "the stack must be empty for the next failure";
}

TEST_F(HidTest, ClosesOnceAndMovesOwnership) {
  const Hdf5Session session;
  Hid space = make_space(std::vector<std::uint64_t>{3});
  const hid_t raw = space.get();
  Hid other = std::move(space);
  EXPECT_FALSE(space);
  EXPECT_GT(H5Iis_valid(raw), 0);
  other.close("a space");
  EXPECT_EQ(H5Iis_valid(raw), 0);
  EXPECT_NO_THROW(other.close("a space"));
}

TEST_F(HidTest, CloseThrowsWhereTheDestructorMustNot) {
  const Hdf5Session session;
  Hid space = make_space({});
  H5Sclose(space.get());
  EXPECT_THROW(space.close("a space"), base::Error);
  {
    Hid another = make_space({});
    H5Sclose(another.get());
  }
}

// RLIMIT_FSIZE makes write() fail as a full disk does: the failure shows at the latest in close().
TEST_F(HidTest, AFailedWriteIsReported) {
  const Hdf5Session session;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit limited = before;
  limited.rlim_cur = 4096;
  ::setrlimit(RLIMIT_FSIZE, &limited);
  const auto write = [&] {
    Hid file = create_file(folder_ / "big.h5", H5F_ACC_TRUNC, serial_access(H5F_LIBVER_V18, false));
    const std::vector<std::uint64_t> values(4096, 7);
    write_u64s(file.get(), "small", std::span(values).first(8));
    for (int i = 0; i < 64; ++i) {
      write_u64s(file.get(), "values" + std::to_string(i), std::span(values).first(1000));
    }
    file.close("the file");
  };
  EXPECT_THROW(write(), base::Error);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
}

TEST_F(HidTest, AttributesReadBackAsWritten) {
  const Hdf5Session session;
  Hid file = create_file(folder_ / "a.h5", H5F_ACC_EXCL, serial_access(H5F_LIBVER_V18, false));
  const std::string grown(100000, 'z');
  write_text(file.get(), "empty", "");
  write_text(file.get(), "text",
             "schr\xC3\xB6"
             "dinger");
  write_long_text(file.get(), "long", grown);
  write_integer(file.get(), "count", -42);
  const std::vector<std::uint64_t> values{1, UINT64_MAX};
  write_u64s(file.get(), "values", values);
  write_u64s(file.get(), "none", {});
  EXPECT_EQ(read_text(file.get(), "empty"), "");
  EXPECT_EQ(read_text(file.get(), "text"),
            "schr\xC3\xB6"
            "dinger");
  EXPECT_EQ(read_text(file.get(), "long"), grown);
  EXPECT_EQ(read_text(file.get(), "count"), "-42");
  EXPECT_EQ(read_integer(file.get(), "count"), -42);
  EXPECT_EQ(read_u64s(file.get(), "values", 2), values);
  EXPECT_TRUE(read_u64s(file.get(), "none", 0).empty());
  EXPECT_THROW(read_u64s(file.get(), "values", 3), base::Error);
  EXPECT_THROW(read_integer(file.get(), "text"), base::Error);
  EXPECT_THROW(create_file(folder_ / "a.h5", H5F_ACC_EXCL, serial_access(H5F_LIBVER_V18, false)),
               base::Error);
  file.close("the file");
}

}  // namespace
}  // namespace tenfold::store
