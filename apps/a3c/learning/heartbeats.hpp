// Whether the ranks of a node still make rollouts, as those see it that wait for them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/shared_arena.hpp"

namespace tenfold::a3c {

class Heartbeats {
 public:
  static std::vector<comm::ArenaPart> parts(int ranks);
  /// world_rank: what this rank is called in messages. limit_s 0: never speaks up.
  Heartbeats(const comm::SharedArena& arena, const comm::Communicator& node, int world_rank,
             double limit_s);

  /// This rank has made a rollout.
  void beat();
  /// This rank waits for others from here on: nobody waits for it.
  void wait();
  /// To be called again and again while waiting. Ends the job with Code::kWatchdog, naming the
  /// rank, when one that nobody saw wait has made no rollout for limit_s. Of several ranks that
  /// wait the first speaks.
  void look();

 private:
  struct Seen {
    std::int64_t beats = -1;
    double since = 0;
  };
  std::int64_t& word(int rank, int index) const;
  bool waits(int rank) const;
  std::span<std::int64_t> words_;
  int rank_, ranks_;
  double limit_s_, looked_ = 0;
  std::vector<Seen> seen_;
};

}  // namespace tenfold::a3c
