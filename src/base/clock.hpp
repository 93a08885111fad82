// Time: wall clock for deadlines, monotonic for durations, CPU time for honest speed figures.
#pragma once

namespace tenfold::base {

/// Seconds since the Unix epoch.
double wall_now();
/// Seconds of a clock that never jumps.
double monotonic_now();
/// CPU seconds of this process, all threads.
double cpu_now();
/// Largest resident set so far, bytes.
double peak_resident_bytes();
/// Bytes that this process may still allocate: the smaller of the machine's and the cgroup's.
double available_memory_bytes();

class Stopwatch {
 public:
  Stopwatch() : start_(monotonic_now()) {}
  double seconds() const { return monotonic_now() - start_; }
  void restart() { start_ = monotonic_now(); }

 private:
  double start_;
};

}  // namespace tenfold::base
