#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::base {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

struct Spoken {
  std::string out, err;
};
template <class Call>
Spoken spoken(const Call& call) {
  CaptureStdout();
  CaptureStderr();
  call();
  const std::string out = GetCapturedStdout();
  return {out, GetCapturedStderr()};
}

class Log : public test::TemporaryFolder {
 protected:
  ~Log() override {
    log_close();
    log_configure(0, true, LogLevel::kInfo);
  }
};

TEST_F(Log, SendsInfoToStdoutAndTroubleToStderr) {
  log_configure(0, true, LogLevel::kInfo);
  const Spoken said = spoken([] {
    log_info("step {}", 3);
    log_debug("detail");
    log_warning("slow disk");
    log_line(LogLevel::kError, "broken");
  });
  EXPECT_EQ(said.out, "step 3\n");
  EXPECT_EQ(said.err, "warning: slow disk\nbroken\n");
}

TEST_F(Log, LevelDecidesWhatIsSpoken) {
  log_configure(0, true, LogLevel::kWarning);
  EXPECT_EQ(spoken([] {
              log_info("step");
              log_progress("half");
            }).out,
            "");
  log_configure(0, true, LogLevel::kDebug);
  EXPECT_EQ(spoken([] { log_debug("detail"); }).out, "detail\n");
  log_configure(0, true, LogLevel::kSilent);
  EXPECT_EQ(spoken([] { log_line(LogLevel::kError, "broken"); }).err, "");
}

TEST_F(Log, OtherRanksAreSilentButKeepTheirFile) {
  log_configure(3, false, LogLevel::kInfo);
  log_open_file(folder_ / "rank.log");
  const Spoken said = spoken([] {
    log_info("step");
    log_debug("detail");
    log_progress("half");
    log_line(LogLevel::kError, "broken");
  });
  EXPECT_EQ(said.out + said.err, "");
  const std::vector<std::string> lines = split(read_text(folder_ / "rank.log"), '\n');
  ASSERT_EQ(lines.size(), 5U);  // four and what follows the last end of line
  const std::string stamp = "[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z rank 3 ";
  EXPECT_THAT(lines[0], MatchesRegex(stamp + "info: step"));
  EXPECT_THAT(lines[1], MatchesRegex(stamp + "debug: detail"));
  EXPECT_THAT(lines[2], MatchesRegex(stamp + "info: half"));
  EXPECT_THAT(lines[3], MatchesRegex(stamp + "error: broken"));
}

TEST_F(Log, FilesAreContinued) {
  for (const char* text : {"first run", "second run"}) {
    log_open_file(folder_ / "rank.log");
    spoken([&] { log_info("{}", text); });
    log_close();
    spoken([] { log_info("not in the file"); });
  }
  const std::string text = read_text(folder_ / "rank.log");
  EXPECT_THAT(text, HasSubstr("first run"));
  EXPECT_THAT(text, HasSubstr("second run"));
  EXPECT_EQ(text.find("not in"), text.npos);
}

TEST_F(Log, AFileThatCannotBeOpenedIsAnIoError) {
  try {
    log_open_file(folder_ / "missing" / "rank.log");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo);
    EXPECT_THAT(error.message(), HasSubstr("missing/rank.log"));
    EXPECT_THAT(error.message(), HasSubstr("No such file"));
  }
}

TEST_F(Log, EscapesControlBytesButKeepsLines) {
  log_configure(0, true, LogLevel::kInfo);
  EXPECT_EQ(spoken([] { log_info("{}", "a\x1b[2J\nb"); }).out, "a\\x1b[2J\nb\n");
  EXPECT_EQ(spoken([] { log_progress("a\rb"); }).out, "a\\x0db\n");
}

TEST_F(Log, ThreadsDoNotMixTheirLines) {
  log_configure(0, true, LogLevel::kInfo);
  constexpr int kThreads = 4, kLines = 200;
  const Spoken said = spoken([] {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([i] {
        for (int j = 0; j < kLines; ++j)
          log_info("{}", std::string(50, static_cast<char>('a' + i)));
      });
    }
    for (std::thread& each : threads) each.join();
  });
  const std::vector<std::string> lines = split(said.out, '\n');
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kLines + 1));
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    EXPECT_EQ(lines[i], std::string(50, lines[i].empty() ? '?' : lines[i][0]));
  }
}

TEST(FatalLine, HasItsOneForm) {
  EXPECT_EQ(fatal_line(4, 3, "node7", "cannot write x. Free space"),
            "tenfold: error[4] rank 3 (node7): cannot write x. Free space");
}

// Only the first process of a fresh program has told the log nothing yet.
TEST(LogDeathTest, SpeaksOnStderrBeforeItIsConfigured) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        log_info("early");
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "early");
}

}  // namespace
}  // namespace tenfold::base
