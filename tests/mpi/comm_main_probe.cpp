// Tests that fail on purpose, to test tests/mpi/mpi_gtest_main.cpp with; run one at a time by
// filter.
#include <gtest/gtest.h>
#include <signal.h>

#include "comm/communicator.hpp"

namespace tenfold::comm {
namespace {

TEST(Probe, Passes) {
  EXPECT_EQ(Communicator::world().all_reduce(1, Op::kSum), Communicator::world().size());
}

TEST(Probe, FailsOnRank1) {
  const Communicator world = Communicator::world();
  EXPECT_NE(world.rank(), 1) << "only rank 1 sees this";
}

TEST(Probe, FailsEverywhere) {
  FAIL() << "all ranks see this";
}

// The limit passes at once, so that the test needs no minute.
TEST(Probe, HangsOnRank0) {
  const Communicator world = Communicator::world();
  if (world.rank() == 1) ::raise(SIGALRM);
  world.barrier();
}

class ProbeSuite : public testing::Test {
 protected:
  static void SetUpTestSuite() { EXPECT_NE(Communicator::world().rank(), 1) << "in the set-up"; }
};
TEST_F(ProbeSuite, Passes) {}

}  // namespace
}  // namespace tenfold::comm
