// GoogleTest's main for MPI programs: all ranks pass or fail a test together, and rank 0 reports.
#include <gtest/gtest.h>
#include <mpi.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "comm/communicator.hpp"

namespace {

using tenfold::comm::Communicator;
using tenfold::comm::Op;

constexpr unsigned kTestLimitS = 60;
constexpr int kTimeoutCode = 124;  // what timeout(1) exits with

// Written before each alarm is armed, so that the handler, which may call only async-signal-safe
// functions, finds a finished line.
std::string timeout_line;

extern "C" void end_hung_test(int /*number*/) {
  const ssize_t written = ::write(STDERR_FILENO, timeout_line.data(), timeout_line.size());
  // Not async-signal-safe, but the job is lost anyway; should MPI_Abort hang, the next alarm's
  // default action ends this process.
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(10);
  MPI_Abort(MPI_COMM_WORLD, kTimeoutCode);
  ::_exit(written < 0 ? kTimeoutCode + 1 : kTimeoutCode);
}

/// Ends a test that hangs, and shares the failures of all ranks at the end of each test.
class MpiListener : public testing::EmptyTestEventListener {
 public:
  explicit MpiListener(Communicator world) : world_(std::move(world)) {
    struct sigaction action {};
    action.sa_handler = end_hung_test;
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, nullptr);
  }

  void OnTestStart(const testing::TestInfo& test) override {
    timeout_line = fmt::format("rank {}: {}.{} did not end within {} s; its ranks are aborted\n",
                               world_.rank(), test.test_suite_name(), test.name(), kTestLimitS);
    ::alarm(kTestLimitS);
  }

  void OnTestEnd(const testing::TestInfo& test) override {
    share_failures(messages(*test.result()), "");
    ::alarm(0);
  }

  // SetUpTestSuite and TearDownTestSuite fail outside any test.
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    ::alarm(kTestLimitS);
    share_failures(messages(suite.ad_hoc_test_result()), " outside its tests");
    ::alarm(0);
  }

 private:
  static std::string messages(const testing::TestResult& result) {
    std::string text;
    for (int i = 0; i < result.total_part_count(); ++i) {
      const testing::TestPartResult& part = result.GetTestPartResult(i);
      if (!part.failed()) continue;
      text += fmt::format("{}:{}: {}\n", part.file_name() != nullptr ? part.file_name() : "unknown",
                          part.line_number(), part.summary());
    }
    return text;
  }

  void share_failures(const std::string& mine, const char* where) {
    if (world_.all_reduce(std::int32_t{mine.empty() ? 0 : 1}, Op::kMax) == 0) return;
    const std::vector<std::string> all = world_.gather_texts(mine);
    std::string others;
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
      for (const std::string& line : tenfold::base::split(all[rank], '\n')) {
        if (!line.empty()) others += fmt::format("rank {}: {}\n", rank, line);
      }
    }
    if (!mine.empty() && others.empty()) return;
    // Still inside the test for GoogleTest: the failure counts for it, here and in the XML.
    ADD_FAILURE() << "on other ranks" << where << ":\n" << (others.empty() ? "see rank 0" : others);
  }

  Communicator world_;
};

}  // namespace

int main(int argc, char** argv) {
  tenfold::comm::MpiEnvironment mpi(&argc, &argv);
  const Communicator world = Communicator::world();
  testing::InitGoogleTest(&argc, argv);
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (!world.is_root()) {
    delete listeners.Release(listeners.default_result_printer());
    delete listeners.Release(listeners.default_xml_generator());
  }
  listeners.Append(std::make_unique<MpiListener>(world).release());
  // gtest's own answer differs between ranks when only some of them failed.
  return world.all_reduce(std::int32_t{RUN_ALL_TESTS()}, Op::kMax);
}
