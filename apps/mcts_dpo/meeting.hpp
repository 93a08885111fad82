// Ranks that work for a while without waiting for one another, and come together again when one of
// them asks for it, fails, or all is done.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.hpp"
#include "comm/shared_counters.hpp"

namespace tenfold::mcts_dpo {

class Meeting {
 public:
  /// Collective.
  explicit Meeting(const comm::Communicator& world)
      : world_(world.duplicate()), counters_(world_, kCounters) {}

  /// Collective: the next work() is to do so many units, over all ranks.
  void begin(std::int64_t units);
  /// Collective. Every rank does its part, which asks due() between two pieces of it, and waits for
  /// the others. What any rank throws is thrown on all of them, as an AgreedError. part may make no
  /// collective call of all ranks.
  void work(const std::function<void()>& part);

  /// Not collective: units that this rank has done.
  void done(std::int64_t units) { counters_.fetch_and_add(kDone, units); }
  /// Not collective, a sign of life for the watchdog: whether to leave off. All units are done, or
  /// a rank has failed, or a signal or ten seconds ask for a point where a checkpoint can be taken
  /// and one unit is done at least.
  bool due();

 private:
  enum Counter : std::size_t { kDone, kPause, kMoves, kCounters };

  void ask_for_pause();
  void wait();

  comm::Communicator world_;
  comm::SharedCounters counters_;
  base::Stopwatch watch_;
  std::int64_t units_ = 0, moves_ = 0;
  bool asked_ = false;
  double told_ = 0, looked_ = 0;
};

}  // namespace tenfold::mcts_dpo
