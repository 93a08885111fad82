// Ranks that run freely: what is counted exactly, where they meet, and several nodes.
#include <gtest/gtest.h>

#include <cmath>

#include "comm/signals.hpp"
#include "mpi/a3c_session.hpp"
#include "train/replica_check.hpp"

namespace tenfold::a3c {
namespace {

const char* const kPolicies[] = {"hogwild", "striped", "atomic", "mutex", "rma"};

TEST(Asynchronous, RanksMeetWithTheSameParametersAndCounts) {
  const comm::Communicator world = comm::Communicator::world();
  for (const char* policy : kPolicies) {
    SCOPED_TRACE(policy);
    Config config = short_run("sarsa");
    config.update = policy;
    config.lstm = 3;
    Session session(world, config);
    while (session.context().step < 400) {
      const std::uint64_t before = session.context().step;
      const auto parameters = session.parameters();
      const std::uint64_t made = session.step();
      train::check_replicas(world, session.registry());
      EXPECT_GE(made, std::min<std::uint64_t>(100, 400 - before));
      EXPECT_LE(made, 100U + static_cast<std::uint64_t>(world.size()) * 5);
      EXPECT_NE(parameters, session.parameters());
    }
    EXPECT_EQ(session.number("progress/decisions"), session.decisions_of_actors());
    // Rollouts are five decisions, but for ends of episodes.
    EXPECT_GE(session.number("progress/updates"), session.number("progress/decisions") / 5);
    session.metrics().publish(session.context().step);
    if (world.is_root()) {
      const double staleness = session.metrics().last("async/staleness");
      EXPECT_GE(staleness, 0);
      if (world.size() == 1) {
        EXPECT_EQ(staleness, 0);
      }
    }
  }
}

TEST(Asynchronous, TheTargetIsCopiedOnceAtEachMultiple) {
  for (const std::int64_t period : {7, 30, 1000}) {
    Config config = short_run("q");
    config.target_period = period;
    config.block = 37;
    config.total_steps = 1500;
    Session session(comm::Communicator::world(), config);
    while (session.context().step < 1500) {
      session.step();
      EXPECT_EQ(session.number("progress/target_copies"),
                session.number("progress/decisions") / period);
    }
  }
}

TEST(Asynchronous, ASignalEndsTheBlockAfterARollout) {
  const comm::Communicator world = comm::Communicator::world();
  Config config = short_run("a3c");
  config.block = config.total_steps = 10000000;
  Session session(world, config);
  comm::raise_stop_bits(comm::kStopTerminate);
  const std::uint64_t made = session.step();
  comm::clear_stop_bits(comm::kStopTerminate);
  EXPECT_LE(made, static_cast<std::uint64_t>(world.size() * config.t_max));
  EXPECT_EQ(session.number("progress/decisions"), session.decisions_of_actors());
}

TEST(Asynchronous, AStepAlwaysAdvances) {
  Config config = short_run("a3c");
  config.block = 1;
  Session session(comm::Communicator::world(), config);
  EXPECT_GE(session.step(), 1U);
}

class Nodes : public testing::TestWithParam<const char*> {};

TEST_P(Nodes, CountTogetherAndMeetWithTheSameParameters) {
  const comm::Communicator world = comm::Communicator::world();
  for (const char* policy : {"hogwild", "rma"}) {
    SCOPED_TRACE(policy);
    Config config = short_run("nstep-q");
    config.inter = GetParam();
    config.fake_nodes = 2;
    config.update = policy;
    config.inter_every = 4;
    config.target_period = 50;
    config.block = 300;
    config.total_steps = 1500;
    Session session(world, config);
    while (session.context().step < 1500) {
      const auto before = static_cast<std::int64_t>(session.context().step);
      const auto parameters = session.parameters();
      const auto made = static_cast<std::int64_t>(session.step());
      train::check_replicas(world, session.registry());
      // What a node knows of others is never more than what they did, but for one decision of an
      // average of somebody who made none.
      EXPECT_GE(made, std::min<std::int64_t>(300, 1500 - before) - 1);
      EXPECT_EQ(session.number("progress/decisions"), session.decisions_of_actors());
      EXPECT_NE(parameters, session.parameters());
      for (const float each : session.parameters()) ASSERT_TRUE(std::isfinite(each));
    }
    const std::int64_t multiples = session.number("progress/decisions") / 50;
    const std::int64_t copies = session.number("progress/target_copies");
    EXPECT_LE(copies, multiples);
    EXPECT_GE(copies, 5) << "one at least in each block";
  }
}

INSTANTIATE_TEST_SUITE_P(Inter, Nodes, testing::Values("average", "accumulate"));

}  // namespace
}  // namespace tenfold::a3c
