// The part of a rank that only acts.
#pragma once

#include "ddpg/rollout.hpp"
#include "ddpg/topology/exchange.hpp"
#include "ddpg/topology/limiter.hpp"

namespace tenfold::ddpg {

/// sigma as --actor-noise-ladder has it for one of so many actors.
double actor_sigma(const Config& config, int actor, int actors);

class ActingRank {
 public:
  /// All references must outlive this. The rollout's transitions go to outbox, the news of receiver
  /// to agent's actor.
  ActingRank(Agent& agent, Rollout& rollout, Outbox& outbox, NewsReceiver& receiver,
             const Limiter& limiter, train::Metrics& metrics)
      : agent_(agent),
        rollout_(rollout),
        outbox_(outbox),
        receiver_(receiver),
        limiter_(limiter),
        metrics_(metrics) {}

  /// Acts for so many rounds, each as soon as the limiter lets it, and sends all of them off.
  void act(std::uint64_t first_round, std::uint64_t rounds, const WarmUp& warm_up);

 private:
  bool may_begin(std::uint64_t round, const WarmUp& warm_up) const;
  void wait_for_updates(std::uint64_t round, const WarmUp& warm_up);

  Agent& agent_;
  Rollout& rollout_;
  Outbox& outbox_;
  NewsReceiver& receiver_;
  const Limiter& limiter_;
  train::Metrics& metrics_;
};

}  // namespace tenfold::ddpg
