#include "ddpg/topology/acting_rank.hpp"

#include <cmath>

#include "base/clock.hpp"
#include "comm/waiting.hpp"

namespace tenfold::ddpg {

double actor_sigma(const Config& config, int actor, int actors) {
  if (config.actor_noise_ladder <= 0) return config.sigma;
  const double place = actors == 1 ? 0 : static_cast<double>(actor) / (actors - 1);
  return config.sigma * std::pow(config.actor_noise_ladder, 1 + 7 * place);
}

bool ActingRank::may_begin(std::uint64_t round, const WarmUp& warm_up) const {
  const News& news = receiver_.news();
  std::uint64_t open = 0;
  for (std::uint64_t each = news.credited; each < round; ++each) open += warm_up.over(each) ? 1 : 0;
  return limiter_.may_act(news.backlog, open);
}

void ActingRank::wait_for_updates(std::uint64_t round, const WarmUp& warm_up) {
  comm::Backoff backoff;
  for (;;) {
    receiver_.poll();
    if (may_begin(round, warm_up)) return;
    outbox_.flush();  // the learners wait for what was acted so far
    outbox_.delivered();
    backoff.pause();
  }
}

void ActingRank::act(std::uint64_t first_round, std::uint64_t rounds, const WarmUp& warm_up) {
  const base::Stopwatch whole;
  double waited = 0;
  for (std::uint64_t round = first_round; round < first_round + rounds; ++round) {
    const base::Stopwatch watch;
    wait_for_updates(round, warm_up);
    waited += watch.seconds();
    outbox_.begin_round(round, receiver_.news().version);
    rollout_.step(agent_, round * rollout_.decisions());
    outbox_.end_round();
  }
  outbox_.flush();
  const base::Stopwatch watch;
  for (comm::Backoff backoff; !outbox_.delivered(); backoff.pause()) receiver_.poll();
  waited += watch.seconds();
  metrics_.add("topology/acting_wait", waited / std::max(whole.seconds(), 1e-9));
}

}  // namespace tenfold::ddpg
