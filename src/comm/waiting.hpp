// Waiting for other ranks without taking a core from them: Open MPI's own waits spin.
#pragma once

#include <cstdint>
#include <functional>

#include "comm/communicator.hpp"

namespace tenfold::comm {

/// Between two looks at something that another rank has to do.
class Backoff {
 public:
  /// Gives the core away: the first times to whoever is ready, then for 10 us, doubling to 500 us.
  void pause();
  void reset() { pauses_ = 0; }

 private:
  int pauses_ = 0;
};

/// Whether the request has completed; moves other messages on. It is MPI_REQUEST_NULL afterwards.
bool completed(MPI_Request* request);

/// Collective: returns when all ranks have called it. meanwhile is called again and again until
/// then, so that messages that others wait for are dealt with.
void patient_barrier(const Communicator& communicator, const std::function<void()>& meanwhile = {});
/// The same, with the least of all ranks' values.
std::int64_t patient_min(const Communicator& communicator, std::int64_t value,
                         const std::function<void()>& meanwhile = {});

}  // namespace tenfold::comm
