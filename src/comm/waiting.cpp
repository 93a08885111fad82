#include "comm/waiting.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace tenfold::comm {

namespace {

constexpr int kYields = 16, kDoublings = 6;
constexpr int kShortestUs = 10, kLongestUs = 500;

void wait(MPI_Request* request, const std::function<void()>& meanwhile) {
  Backoff backoff;
  while (!completed(request)) {
    if (meanwhile) meanwhile();
    backoff.pause();
  }
}

}  // namespace

void Backoff::pause() {
  if (pauses_ < kYields) {
    ++pauses_;
    std::this_thread::yield();
    return;
  }
  const int doublings = std::min(pauses_++ - kYields, kDoublings);
  std::this_thread::sleep_for(
      std::chrono::microseconds(std::min(kShortestUs << doublings, kLongestUs)));
}

bool completed(MPI_Request* request) {
  int done = 0;
  check_mpi(MPI_Test(request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
}

void patient_barrier(const Communicator& communicator, const std::function<void()>& meanwhile) {
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(communicator.raw(), &request), "MPI_Ibarrier");
  wait(&request, meanwhile);
}

std::int64_t patient_min(const Communicator& communicator, std::int64_t value,
                         const std::function<void()>& meanwhile) {
  if (communicator.size() == 1) return value;
  std::int64_t least = 0;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(&value, &least, 1, MPI_INT64_T, MPI_MIN, communicator.raw(), &request),
            "MPI_Iallreduce");
  wait(&request, meanwhile);
  return least;
}

}  // namespace tenfold::comm
