// How far a long search has come, every ten seconds.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "comm/shared_counters.hpp"

namespace tenfold::mcts_dpo {

/// Of all ranks, since the round began in this process.
struct PaceCounts {
  std::int64_t trees_done = 0, trees = 0;  ///< those of earlier processes are in both
  std::int64_t trees_here = 0;             ///< done by this process
  std::int64_t children = 0, tokens = 0;
};

/// "search: 12 of 96 trees  812 children/s  9.10k tokens/s  batch 83 % full  eta 1m 20s".
std::string pace_line(const PaceCounts& counts, double occupancy, double seconds);

/// Adds up what ranks do in counters that they share, and lets the first of them say it. No call is
/// collective but the constructor.
class SearchPace {
 public:
  /// speaks: this rank writes the lines, to its log.
  SearchPace(const comm::Communicator& world, bool speaks)
      : counters_(world, kCounters), speaks_(speaks) {}

  /// Collective: a round begins, of so many trees; done: by earlier processes.
  void begin(std::int64_t trees, std::int64_t done);
  void tree_done() { counters_.fetch_and_add(kDone, 1); }
  /// Called between two pieces of work with what this rank has done since begin().
  void pulse(std::int64_t children, std::int64_t tokens, double occupancy);

 private:
  enum Counter : std::size_t { kDone, kChildren, kTokens, kCounters };

  comm::SharedCounters counters_;
  bool speaks_;
  std::int64_t trees_ = 0, before_ = 0, children_ = 0, tokens_ = 0;
  double begun_ = 0, told_ = 0, spoke_ = 0;
};

}  // namespace tenfold::mcts_dpo
