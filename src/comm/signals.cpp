#include "comm/signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace tenfold::comm {

namespace {

// Handlers may touch lock-free atomics only. One bit per signal, or a later signal (SIGCONT and
// SIGTERM arrive together at preemption) would overwrite an earlier one.
std::atomic<std::uint32_t> pending{0};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

extern "C" void remember_signal(int number) {
  switch (number) {
    case SIGINT:
      if (pending.fetch_or(kStopInterrupt) & kStopInterrupt) _exit(130);
      break;
    case SIGTERM:
      pending.fetch_or(kStopTerminate);
      break;
    case SIGUSR2:
      pending.fetch_or(kStopUser2);
      break;
    case SIGUSR1:
      pending.fetch_or(kCheckpointUser1);
      break;
    default:
      break;
  }
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = remember_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) sigaction(number, &action, nullptr);
}

std::uint32_t stop_bits() {
  return pending.load();
}
void clear_stop_bits(std::uint32_t bits) {
  pending.fetch_and(~bits);
}
void raise_stop_bits(std::uint32_t bits) {
  pending.fetch_or(bits);
}

}  // namespace tenfold::comm
