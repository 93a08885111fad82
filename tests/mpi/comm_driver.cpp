// Fails in the way that its first argument names; test_comm_failures.py looks at what comes of it.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "base/clock.hpp"
#include "comm/communicator.hpp"
#include "comm/fault.hpp"
#include "comm/watchdog.hpp"

namespace {

using namespace tenfold;

// The last rank aborts while the others wait for it.
void abort_alone(const comm::Communicator& world, int code) {
  if (world.rank() == world.size() - 1) comm::abort_job(code, "the\x1b[31m disk\nis full");
  world.barrier();
}

// Rank 1 stops moving; rank 0 waits for it inside MPI.
void hang(const comm::Communicator& world) {
  comm::Watchdog watchdog(world.is_root() ? 60 : 1);
  watchdog.beat("gathering gradients");
  while (world.rank() == 1) ::pause();
  world.barrier();
}

// Moves for longer than the limit, with signs of life from inside of a phase.
void keep_beating() {
  comm::Watchdog watchdog(1.5);
  watchdog.beat("working");
  const base::Stopwatch clock;
  while (clock.seconds() < 2.2) {
    comm::Watchdog::alive();
    ::usleep(20000);
  }
}

void pass_fault_points() {
  for (int step = 1; step <= 3; ++step) {
    try {
      comm::fault_point("loop.step");
    } catch (const base::Error& error) {
      std::printf("step %d: %d %s\n", step, static_cast<int>(error.code()), error.what());
    }
    if (comm::fault_here("nan", "loop.after_update")) std::printf("step %d: nan\n", step);
  }
}

}  // namespace

int main(int argc, char** argv) {
  comm::MpiEnvironment mpi(&argc, &argv);
  const comm::Communicator world = comm::Communicator::world();
  const std::string mode = argc > 1 ? argv[1] : "";
  try {
    comm::configure_faults(world.rank());
    if (mode == "abort") abort_alone(world, argc > 2 ? std::stoi(argv[2]) : 1);
    if (mode == "hang") hang(world);
    if (mode == "beat") keep_beating();
    if (mode == "faults") pass_fault_points();
  } catch (const base::Error& error) {
    comm::abort_job(static_cast<int>(error.code()), error.what());
  }
  world.barrier();
  return 0;
}
