// The part of a rank that only learns.
#pragma once

#include <deque>
#include <functional>

#include "ddpg/topology/exchange.hpp"
#include "ddpg/topology/limiter.hpp"
#include "ddpg/topology/topology.hpp"

namespace tenfold::ddpg {

class LearningRank {
 public:
  /// learners: the ranks that update together; decisions: of a round. All references must outlive
  /// this.
  LearningRank(const Config& config, train::RunContext& learning, Agent& agent, Memory& memory,
               Inbox& inbox, NewsSender& sender, Limiter& limiter, std::uint64_t decisions)
      : config_(config),
        context_(learning),
        agent_(agent),
        memory_(memory),
        inbox_(inbox),
        sender_(sender),
        limiter_(limiter),
        decisions_(decisions) {}

  /// Takes in so many rounds and updates for them: until nothing is due when last, else until the
  /// actors may go on. Collective over the learners.
  void learn(std::uint64_t first_round, std::uint64_t rounds, const WarmUp& warm_up, bool last);

 private:
  void poll();
  void poll_between_updates();
  /// Credits what all learners have; waits for something when there is nothing else to do.
  void take_in(std::uint64_t first_round, std::uint64_t rounds, const WarmUp& warm_up);
  void update();
  void tell();
  void arrived(const BlockHeader& header);

  const Config& config_;
  train::RunContext& context_;
  Agent& agent_;
  Memory& memory_;
  Inbox& inbox_;
  NewsSender& sender_;
  Limiter& limiter_;
  std::uint64_t decisions_;
  std::uint64_t credited_ = 0;  ///< rounds over the whole run
  std::int64_t told_ = -1;      ///< updates behind the last news
  double waited_ = 0, polled_ = 0;
  struct Told {
    std::uint64_t version;
    double time;
  };
  std::deque<Told> history_;
};

}  // namespace tenfold::ddpg
