#include "a3c/sharing/locks.hpp"

#include <atomic>

#include "comm/waiting.hpp"

namespace tenfold::a3c {

void TicketLock::lock() {
  const std::int64_t mine = std::atomic_ref(next_).fetch_add(1, std::memory_order_relaxed);
  comm::Backoff backoff;
  while (std::atomic_ref(served_).load(std::memory_order_acquire) != mine) backoff.pause();
}

void TicketLock::unlock() {
  std::atomic_ref(served_).fetch_add(1, std::memory_order_release);
}

bool SpinLock::try_lock() {
  std::int64_t open = 0;
  return std::atomic_ref(word_).compare_exchange_strong(open, 1, std::memory_order_acquire);
}

void SpinLock::lock() {
  comm::Backoff backoff;
  while (!try_lock()) backoff.pause();
}

void SpinLock::unlock() {
  std::atomic_ref(word_).store(0, std::memory_order_release);
}

}  // namespace tenfold::a3c
