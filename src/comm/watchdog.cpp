#include "comm/watchdog.hpp"

#include <execinfo.h>
#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "comm/communicator.hpp"

namespace tenfold::comm {

namespace {

extern "C" void print_stack(int /*number*/) {
  std::array<void*, 48> frames{};
  const int depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  backtrace_symbols_fd(frames.data(), depth, STDERR_FILENO);
}

}  // namespace

struct Watchdog::State {
  double limit = 0;
  // Of the process, not of one watchdog: signs of life may come when there is none any more.
  static inline std::atomic<double> last{0};
  std::atomic<const char*> phase{"start"};
  pthread_t watched = pthread_self();
  std::mutex mutex;
  std::condition_variable wake;
  bool leave = false;
  std::thread thread;

  void watch() {
    std::unique_lock lock(mutex);
    const auto period = std::chrono::duration<double>(std::min(1.0, limit / 4));
    while (!wake.wait_for(lock, period, [this] { return leave; })) {
      const double silent = base::monotonic_now() - last.load();
      if (silent > limit) end_job(silent);
    }
  }

  [[noreturn]] void end_job(double silent) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    const int code = static_cast<int>(base::Code::kWatchdog);
    const std::string line = base::fatal_line(
        code, rank, host_name(),
        fmt::format(
            "nothing moved for {:.0f} s in phase '{}' (limit {:.0f} s, --watchdog); a stack "
            "follows",
            silent, phase.load(), limit));
    std::fprintf(stderr, "%s\n", line.c_str());
    std::fflush(stderr);
    struct sigaction action {};
    action.sa_handler = print_stack;
    sigaction(SIGURG, &action, nullptr);
    pthread_kill(watched, SIGURG);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // let the stack be printed
    // MPI_Abort may itself wait for a hung progress engine: give it five seconds.
    std::thread([] {
      std::this_thread::sleep_for(std::chrono::seconds(5));
      _exit(static_cast<int>(base::Code::kWatchdog));
    }).detach();
    MPI_Abort(MPI_COMM_WORLD, code);
    _exit(code);
  }
};

Watchdog::Watchdog(double limit_s) {
  if (limit_s <= 0) return;
  state_ = std::make_unique<State>();
  state_->limit = limit_s;
  alive();
  state_->thread = std::thread([state = state_.get()] { state->watch(); });
}

Watchdog::~Watchdog() {
  if (!state_) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->leave = true;
  }
  state_->wake.notify_all();
  state_->thread.join();
}

void Watchdog::beat(const char* phase) {
  if (!state_) return;
  alive();
  state_->phase.store(phase, std::memory_order_relaxed);
}

void Watchdog::alive() {
  State::last.store(base::monotonic_now(), std::memory_order_relaxed);
}

}  // namespace tenfold::comm
