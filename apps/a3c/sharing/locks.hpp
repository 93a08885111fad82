// Locks in memory that processes share.
#pragma once

#include <cstdint>
#include <span>

namespace tenfold::a3c {

/// Serves who comes in the order of coming. Two words of shared memory, zero at first.
class TicketLock {
 public:
  static constexpr std::size_t kWords = 2;
  explicit TicketLock(std::span<std::int64_t> words) : next_(words[0]), served_(words[1]) {}
  void lock();
  void unlock();

 private:
  std::int64_t &next_, &served_;
};

/// One word of shared memory, 0 when free.
class SpinLock {
 public:
  explicit SpinLock(std::int64_t& word) : word_(word) {}
  void lock();
  bool try_lock();
  void unlock();

 private:
  std::int64_t& word_;
};

}  // namespace tenfold::a3c
