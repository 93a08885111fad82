// Waiting that leaves the core to others.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/clock.hpp"
#include "comm/waiting.hpp"

namespace tenfold::comm {
namespace {

TEST(Waiting, TheLeastValueReachesEveryRank) {
  const Communicator world = Communicator::world();
  for (int round = 0; round < 20; ++round) {
    const std::int64_t mine = (world.rank() * 7 + round) % 5 - 2;
    std::int64_t least = 100;
    for (int rank = 0; rank < world.size(); ++rank) {
      least = std::min<std::int64_t>(least, (rank * 7 + round) % 5 - 2);
    }
    EXPECT_EQ(patient_min(world, mine), least);
  }
}

TEST(Waiting, TakesNoCoreAndGoesOnMeanwhile) {
  const Communicator world = Communicator::world();
  if (world.size() == 1) GTEST_SKIP() << "nobody to wait for";
  constexpr double kSeconds = 0.4;
  world.barrier();
  if (world.is_root()) std::this_thread::sleep_for(std::chrono::duration<double>(kSeconds));
  int calls = 0;
  const double cpu = base::cpu_now();
  const base::Stopwatch watch;
  patient_barrier(world, [&] { ++calls; });
  if (world.is_root()) return;
  EXPECT_GT(watch.seconds(), kSeconds / 2);
  EXPECT_LT(base::cpu_now() - cpu, kSeconds / 4) << "a spinning wait takes all of it";
  EXPECT_GT(calls, 2);
}

TEST(Waiting, ABarrierLetsNobodyThroughBeforeTheLast) {
  const Communicator world = Communicator::world();
  for (int last = 0; last < world.size(); ++last) {
    if (world.rank() == last) std::this_thread::sleep_for(std::chrono::milliseconds(30));
    const double arrived = base::monotonic_now();  // one clock: the ranks of a test share a node
    patient_barrier(world);
    const double left = base::monotonic_now();
    EXPECT_GE(left, world.all_reduce(arrived, Op::kMax));
  }
}

}  // namespace
}  // namespace tenfold::comm
