// Signals as sticky bits.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include "comm/signals.hpp"

namespace tenfold::comm {
namespace {

constexpr std::uint32_t kAll = kStopInterrupt | kStopTerminate | kStopUser2 | kCheckpointUser1;

class SignalTest : public testing::Test {
 protected:
  void SetUp() override {
    install_signal_handlers();
    clear_stop_bits(kAll);
  }
  void TearDown() override {
    clear_stop_bits(kAll);
    for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) ::signal(number, SIG_DFL);
  }
};

TEST_F(SignalTest, EachSignalSetsItsBitAndKeepsTheOthers) {
  ::raise(SIGTERM);
  EXPECT_EQ(stop_bits(), kStopTerminate);
  ::raise(SIGUSR2);
  EXPECT_EQ(stop_bits(), kStopTerminate | kStopUser2);
  ::raise(SIGUSR1);
  ::raise(SIGINT);
  EXPECT_EQ(stop_bits(), kAll);
}

TEST_F(SignalTest, BitsStayUntilTheyAreCleared) {
  ::raise(SIGUSR1);
  ::raise(SIGTERM);
  EXPECT_EQ(stop_bits(), stop_bits());
  clear_stop_bits(kCheckpointUser1);
  EXPECT_EQ(stop_bits(), kStopTerminate);
  ::raise(SIGTERM);
  EXPECT_EQ(stop_bits(), kStopTerminate);
}

TEST_F(SignalTest, ProgramsCanAskThemselves) {
  raise_stop_bits(kStopUser2 | kCheckpointUser1);
  EXPECT_EQ(stop_bits(), kStopUser2 | kCheckpointUser1);
}

TEST_F(SignalTest, SecondInterruptLeavesAtOnce) {
  EXPECT_EXIT(
      {
        ::raise(SIGINT);
        ::raise(SIGINT);
        std::exit(0);
      },
      testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace tenfold::comm
