// What does not depend on the number of ranks: turns and averages over all actors.
#include <gtest/gtest.h>

#include <cmath>

#include "comm/signals.hpp"
#include "mpi/a3c_session.hpp"

namespace tenfold::a3c {
namespace {

struct Case {
  std::string name;
  Config config;
};

// Every kind of agent, optimizer and way to apply gradients.
std::vector<Case> variants() {
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const std::string& method, auto change) {
    Config config = short_run(method);
    config.order = "turns";
    change(config);
    cases.push_back({name, config});
  };
  const auto nothing = [](Config&) {};
  for (const char* method : {"a3c", "q", "sarsa", "nstep-q"}) {
    add(method, method, nothing);
    add(std::string(method) + ", LSTM, three environments each", method, [](Config& config) {
      config.lstm = 5;
      config.envs_per_actor = 3;
    });
  }
  add("continuous actions", "a3c", [](Config& config) {
    config.task = "classic_pendulum";
    config.lstm = 4;
  });
  add("RMSProp of each actor's own, striped", "a3c", [](Config& config) {
    config.optimizer = "rmsprop";
    config.update = "striped";
  });
  add("momentum, atomic", "nstep-q", [](Config& config) {
    config.optimizer = "momentum";
    config.update = "atomic";
  });
  add("mutex, LibTorch's engine", "sarsa", [](Config& config) {
    config.update = "mutex";
    config.engine = "torch";
  });
  add("rma", "a3c", [](Config& config) { config.update = "rma"; });
  return cases;
}

TEST(Turns, ManyRanksHaveTheBitsOfOne) {
  for (const Case& each : variants()) {
    SCOPED_TRACE(each.name);
    Session all(comm::Communicator::world(), each.config);
    Session alone(comm::Communicator::self(), each.config);
    const auto before = all.parameters();
    all.go_to(400);
    alone.go_to(400);
    expect_same_bits(all, alone);
    EXPECT_NE(before, all.parameters()) << "nothing was learned";
    EXPECT_EQ(all.number("progress/decisions"), all.decisions_of_actors());
  }
}

TEST(Turns, ARunGoesOnWithItsBitsOnOtherRanks) {
  for (const Case& each : variants()) {
    SCOPED_TRACE(each.name);
    Session unbroken(comm::Communicator::self(), each.config);
    Session stopped(comm::Communicator::self(), each.config);
    stopped.go_to(200);
    Session resumed(comm::Communicator::world(), each.config);
    resumed.load(stopped);
    resumed.go_to(400);
    unbroken.go_to(400);
    expect_same_bits(resumed, unbroken);
  }
}

// Whoever has the last turn of a round looks whether to stop: all stop after the same one.
TEST(Turns, ASignalOfAnyRankEndsTheBlockAfterTheRound) {
  const comm::Communicator world = comm::Communicator::world();
  Config config = short_run("a3c");
  config.order = "turns";
  config.block = config.total_steps = 100000;
  Session stopped(world, config), alone(comm::Communicator::self(), config);
  if (world.rank() == 0) comm::raise_stop_bits(comm::kStopUser2);
  const std::uint64_t made = stopped.step();
  comm::clear_stop_bits(comm::kStopUser2);
  EXPECT_LE(made, static_cast<std::uint64_t>(Session::kActors * config.t_max));
  comm::raise_stop_bits(comm::kStopUser2);
  EXPECT_EQ(alone.step(), made);
  comm::clear_stop_bits(comm::kStopUser2);
  expect_same_bits(stopped, alone);
}

TEST(Synchronous, ManyRanksHaveTheBitsOfOne) {
  for (const char* method : {"a3c", "q", "sarsa", "nstep-q"}) {
    SCOPED_TRACE(method);
    Config config = short_run(method);
    config.update = "sync";
    config.lstm = 4;
    Session all(comm::Communicator::world(), config);
    Session alone(comm::Communicator::self(), config);
    all.go_to(400);
    alone.go_to(400);
    expect_same_bits(all, alone);
    EXPECT_EQ(all.number("progress/decisions"), all.decisions_of_actors());
    EXPECT_GT(all.number("progress/updates"), 10);
  }
}

TEST(Synchronous, FastSumsAreTheSameUpToRounding) {
  Config config = short_run("a3c");
  config.update = "sync";
  config.block = config.total_steps = 60;  // few enough that no action turns over
  Session fast(comm::Communicator::world(), config, train::ReduceMode::kFast);
  Session ordered(comm::Communicator::self(), config);
  fast.go_to(60);
  ordered.go_to(60);
  const auto found = fast.parameters(), expected = ordered.parameters();
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6);
}

TEST(Synchronous, ASignalEndsTheBlockAfterAnUpdate) {
  const comm::Communicator world = comm::Communicator::world();
  Config config = short_run("q");
  config.update = "sync";
  config.block = config.total_steps = 100000;
  Session session(world, config);
  if (world.rank() == world.size() - 1) comm::raise_stop_bits(comm::kStopTerminate);
  EXPECT_LE(session.step(), static_cast<std::uint64_t>(Session::kActors * config.t_max));
  comm::clear_stop_bits(comm::kStopTerminate);
  EXPECT_EQ(session.number("progress/updates"), 1);
}

// All ways name the same state.
TEST(Synchronous, GoesOnFromAnAsynchronousRun) {
  Config config = short_run("nstep-q");
  Session free(comm::Communicator::self(), config);
  free.go_to(200);
  config.update = "sync";
  Session averaged(comm::Communicator::world(), config);
  averaged.load(free);
  averaged.go_to(400);
  EXPECT_GE(averaged.number("progress/decisions"), 400);
  EXPECT_GT(averaged.number("progress/updates"), free.number("progress/updates"));
}

}  // namespace
}  // namespace tenfold::a3c
