// Ends a job in which nothing moves: a thread that wants a sign of life from each phase.
#pragma once

#include <memory>
#include <string>

namespace tenfold::comm {

/// One per process. When no beat came for limit_s seconds, prints rank, host, phase and since when,
/// and ends the job with Code::kWatchdog.
class Watchdog {
 public:
  explicit Watchdog(double limit_s);  ///< 0 or less: off
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  /// A sign of life from phase (kept for the message). Cheap: one atomic store when unchanged.
  void beat(const char* phase);
  /// The same for the process's watchdog, if it has one, from work deep inside of a phase.
  static void alive();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenfold::comm
