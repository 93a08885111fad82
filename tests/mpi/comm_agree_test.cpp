// Communicator::agree: whatever fails on some ranks, all ranks throw the same error and go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace tenfold::comm {
namespace {

using base::Code;
using base::Error;
using testing::HasSubstr;

// The error that agree threw here; a failure when it threw none.
template <class Body>
AgreedError agreed(const Communicator& world, Body body) {
  try {
    world.agree(body);
  } catch (const AgreedError& error) {
    return error;
  }
  ADD_FAILURE() << "agree returned";
  return {Error(Code::kOk, ""), -1, ""};
}

void expect_all_ranks_hold(const Communicator& world, const Error& error) {
  const std::string root_text = world.broadcast_text(error.what());
  EXPECT_EQ(error.what(), root_text);
}

class AgreeTest : public testing::TestWithParam<Code> {};

TEST_P(AgreeTest, ThrowsTheFailingRanksErrorEverywhere) {
  const Communicator world = Communicator::world();
  for (int failing = 0; failing < world.size(); ++failing) {
    const AgreedError error = agreed(world, [&] {
      if (world.rank() == failing) throw Error(GetParam(), "the disk is full", "Make room");
    });
    EXPECT_EQ(error.code(), GetParam());
    EXPECT_EQ(error.message(), "the disk is full");
    EXPECT_EQ(error.hint(), "Make room");
    EXPECT_EQ(error.rank(), failing);
    EXPECT_EQ(error.host(), host_name());  // one machine runs all ranks of a test
    expect_all_ranks_hold(world, error);
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, AgreeTest,
                         testing::Values(Code::kBug, Code::kUsage, Code::kData, Code::kIo,
                                         Code::kNumeric, Code::kCheckpoint, Code::kStopped,
                                         Code::kWatchdog));

TEST(Agree, LowestFailingRankSpeaks) {
  const Communicator world = Communicator::world();
  const int first = world.size() > 2 ? 1 : 0;
  const Error error = agreed(world, [&] {
    if (world.rank() >= first) throw Error(Code::kData, "said by " + std::to_string(world.rank()));
  });
  EXPECT_THAT(error.message(), HasSubstr("said by " + std::to_string(first)));
  expect_all_ranks_hold(world, error);
}

TEST(Agree, OtherExceptionsAreBugs) {
  const Communicator world = Communicator::world();
  const Error error = agreed(world, [&] {
    if (world.rank() == world.size() - 1) throw std::out_of_range("vector::at");
  });
  EXPECT_EQ(error.code(), Code::kBug);
  EXPECT_THAT(error.message(), HasSubstr("vector::at"));
  expect_all_ranks_hold(world, error);
}

TEST(Agree, ReturnsWhenNobodyFailsAndRunsTheBodyOnce) {
  const Communicator world = Communicator::world();
  int runs = 0;
  world.agree([&] { ++runs; });
  EXPECT_EQ(runs, 1);
}

TEST(Agree, CommunicatorWorksAfterAFailure) {
  const Communicator world = Communicator::world();
  for (int round = 0; round < 20; ++round) {
    agreed(world, [&] {
      if (world.rank() == round % world.size()) throw Error(Code::kIo, "again");
    });
    EXPECT_EQ(world.all_reduce(round, Op::kSum), round * world.size());
  }
}

}  // namespace
}  // namespace tenfold::comm
