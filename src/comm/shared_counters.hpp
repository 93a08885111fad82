// Counters that all ranks of a communicator add to and read at any time, without waiting for one
// another.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>

#include "comm/communicator.hpp"

namespace tenfold::comm {

/// An MPI window of 64-bit counters in rank 0's memory. On one node an access is an atomic
/// instruction; over a network without remote atomics it is served when rank 0 next calls MPI, so
/// rank 0 must not compute for long without one (its own accesses count).
class SharedCounters {
 public:
  /// Collective; count is the same on all ranks. Counters begin at 0.
  SharedCounters(const Communicator& communicator, std::size_t count);
  /// Collective, unless an exception is on its way: then other ranks may never come, and the window
  /// is left to the end of the process.
  ~SharedCounters();
  SharedCounters(const SharedCounters&) = delete;
  SharedCounters& operator=(const SharedCounters&) = delete;

  std::size_t count() const { return count_; }
  /// The value before value was added, in one indivisible step. Not collective. Throws Code::kBug
  /// for an unknown counter.
  std::int64_t fetch_and_add(std::size_t which, std::int64_t value);
  std::int64_t add_and_fetch(std::size_t which, std::int64_t value) {
    return fetch_and_add(which, value) + value;
  }
  /// Not collective.
  std::int64_t read(std::size_t which) const;
  /// Collective: all give the same; no rank reads anything older behind it.
  void set(std::size_t which, std::int64_t value);

 private:
  std::int64_t update(std::size_t which, std::int64_t value, MPI_Op op) const;

  Communicator communicator_;
  std::size_t count_;
  MPI_Win window_ = MPI_WIN_NULL;
};

}  // namespace tenfold::comm
