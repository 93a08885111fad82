#include "mcts_dpo/meeting.hpp"

#include "comm/signals.hpp"
#include "comm/waiting.hpp"
#include "comm/watchdog.hpp"

namespace tenfold::mcts_dpo {

namespace {

/// Between two points where a checkpoint can be taken, when nothing else asks for one.
constexpr double kPauseSeconds = 10;
/// Between two signs of life to ranks that wait, and between two looks of theirs.
constexpr double kTellSeconds = 1, kLookSeconds = 0.05;
/// More units than any work has: one rank has failed.
constexpr std::int64_t kFailed = std::int64_t{1} << 60;

}  // namespace

void Meeting::begin(std::int64_t units) {
  for (const Counter each : {kDone, kPause}) counters_.set(each, 0);
  units_ = units;
  asked_ = false;
  watch_.restart();
}

void Meeting::work(const std::function<void()>& part) {
  world_.agree([&] {
    try {
      part();
    } catch (...) {
      done(kFailed);
      wait();
      throw;
    }
    wait();
  });
}

void Meeting::ask_for_pause() {
  if (asked_ || (comm::stop_bits() == 0 && watch_.seconds() < kPauseSeconds)) return;
  counters_.fetch_and_add(kPause, 1);
  asked_ = true;
}

bool Meeting::due() {
  comm::Watchdog::alive();
  if (const double now = base::monotonic_now(); now - told_ > kTellSeconds) {
    told_ = now;
    counters_.fetch_and_add(kMoves, 1);
  }
  const std::int64_t done = counters_.read(kDone);
  if (done >= units_) return true;
  ask_for_pause();
  return done > 0 && counters_.read(kPause) > 0;
}

// As long as others move, who waits for them is well.
void Meeting::wait() {
  comm::patient_barrier(world_, [this] {
    const double now = base::monotonic_now();
    if (now - looked_ < kLookSeconds) return;
    looked_ = now;
    ask_for_pause();
    const std::int64_t moves = counters_.read(kMoves);
    if (moves != moves_) comm::Watchdog::alive();
    moves_ = moves;
  });
}

}  // namespace tenfold::mcts_dpo
