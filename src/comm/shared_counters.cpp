#include "comm/shared_counters.hpp"

#include <algorithm>
#include <exception>

#include "base/error.hpp"

namespace tenfold::comm {

SharedCounters::SharedCounters(const Communicator& communicator, std::size_t count)
    : communicator_(communicator.duplicate()), count_(count) {
  const std::size_t held = communicator_.is_root() ? count : 0;
  std::int64_t* mine = nullptr;
  check_mpi(
      MPI_Win_allocate(static_cast<MPI_Aint>(held * sizeof(std::int64_t)), sizeof(std::int64_t),
                       MPI_INFO_NULL, communicator_.raw(), static_cast<void*>(&mine), &window_),
      "MPI_Win_allocate");
  check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");
  std::fill_n(mine, held, std::int64_t{0});
  check_mpi(MPI_Win_sync(window_), "MPI_Win_sync");
  communicator_.barrier();
}

SharedCounters::~SharedCounters() {
  if (window_ == MPI_WIN_NULL || std::uncaught_exceptions() > 0) return;
  MPI_Win_unlock_all(window_);
  MPI_Win_free(&window_);
}

std::int64_t SharedCounters::update(std::size_t which, std::int64_t value, MPI_Op op) const {
  base::require(which < count_, "SharedCounters: no such counter");
  std::int64_t before = 0;
  check_mpi(
      MPI_Fetch_and_op(&value, &before, MPI_INT64_T, 0, static_cast<MPI_Aint>(which), op, window_),
      "MPI_Fetch_and_op");
  check_mpi(MPI_Win_flush(0, window_), "MPI_Win_flush");
  return before;
}

std::int64_t SharedCounters::fetch_and_add(std::size_t which, std::int64_t value) {
  return update(which, value, MPI_SUM);
}

std::int64_t SharedCounters::read(std::size_t which) const {
  return update(which, 0, MPI_NO_OP);
}

void SharedCounters::set(std::size_t which, std::int64_t value) {
  communicator_.barrier();
  if (communicator_.is_root()) update(which, value, MPI_REPLACE);
  communicator_.barrier();
}

}  // namespace tenfold::comm
