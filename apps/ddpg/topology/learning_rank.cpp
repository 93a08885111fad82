#include "ddpg/topology/learning_rank.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "comm/waiting.hpp"

namespace tenfold::ddpg {

namespace {
constexpr std::size_t kRemembered = 4096;  // news whose age can still be told
constexpr double kPollEvery = 1e-3;
}  // namespace

void LearningRank::poll() {
  inbox_.poll(memory_, [this](const BlockHeader& header) { arrived(header); });
  sender_.poll();
}

// Not between all of them: small networks update in less time than looking takes where MPI gives
// the core away whenever it finds nothing.
void LearningRank::poll_between_updates() {
  const double now = base::monotonic_now();
  if (limiter_.due() && now - polled_ < kPollEvery) return;
  polled_ = now;
  poll();
}

void LearningRank::arrived(const BlockHeader& header) {
  train::Metrics& metrics = *context_.metrics;
  metrics.add("topology/blocks", 1);
  metrics.add("topology/staleness_updates",
              static_cast<double>(agent_.updates()) - static_cast<double>(header.version));
  const auto told = std::lower_bound(
      history_.begin(), history_.end(), header.version,
      [](const Told& each, std::uint64_t version) { return each.version < version; });
  if (told != history_.end() && told->version == header.version) {
    metrics.add("topology/staleness_seconds", base::monotonic_now() - told->time);
  }
}

void LearningRank::tell() {
  const auto version = static_cast<std::uint64_t>(agent_.updates());
  if (history_.empty() || history_.back().version < version) {
    history_.push_back({version, base::monotonic_now()});
    if (history_.size() > kRemembered) history_.pop_front();
  }
  told_ = agent_.updates();
  sender_.tell({version, credited_, limiter_.backlog()});
}

void LearningRank::take_in(std::uint64_t first_round, std::uint64_t rounds, const WarmUp& warm_up) {
  const base::Stopwatch watch;
  const std::uint64_t before = credited_ - first_round;
  if (!limiter_.due()) {
    for (comm::Backoff backoff; inbox_.rounds() <= before; backoff.pause()) poll();
  }
  // Learners that credited differently would update differently often, and wait for ever.
  const auto common = static_cast<std::uint64_t>(comm::patient_min(
      context_.world, static_cast<std::int64_t>(std::min(inbox_.rounds(), rounds)),
      [this] { poll(); }));
  for (std::uint64_t round = before; round < common; ++round, ++credited_) {
    if (warm_up.over(first_round + round)) limiter_.credit();
  }
  if (common > before && !limiter_.due()) tell();  // else nobody may act before there is an update
  context_.metrics->add("topology/backlog", limiter_.backlog());
  waited_ += watch.seconds();
}

void LearningRank::update() {
  const double progress =
      static_cast<double>((credited_ - 1) * decisions_) / static_cast<double>(config_.total_steps);
  update_once(agent_, memory_,
              config_.rows_per_shard(static_cast<std::int64_t>(context_.shards.shards)), progress,
              context_);
  limiter_.updated();
  if (!limiter_.due() || agent_.updates() - told_ >= config_.publish_every) tell();
}

void LearningRank::learn(std::uint64_t first_round, std::uint64_t rounds, const WarmUp& warm_up,
                         bool last) {
  const base::Stopwatch whole;
  const std::int64_t updates = agent_.updates();
  inbox_.reset();
  credited_ = first_round;
  waited_ = 0;
  for (;;) {
    poll_between_updates();
    if (credited_ < first_round + rounds) take_in(first_round, rounds, warm_up);
    const bool all_in = credited_ == first_round + rounds;
    if (all_in && (last ? !limiter_.due() : limiter_.may_act(limiter_.backlog(), 0))) break;
    if (limiter_.due()) update();
  }
  tell();
  const base::Stopwatch watch;
  for (comm::Backoff backoff; !sender_.idle(); backoff.pause()) poll();
  waited_ += watch.seconds();
  train::Metrics& metrics = *context_.metrics;
  metrics.add("train/replay_fill", static_cast<double>(memory_.held(0)));
  metrics.add("topology/learning_wait", waited_ / std::max(whole.seconds(), 1e-9));
  const double counted = static_cast<double>(rounds * decisions_);
  if (warm_up.over(first_round)) {
    metrics.add("topology/updates_per_step",
                static_cast<double>(agent_.updates() - updates) / counted);
  }
}

}  // namespace tenfold::ddpg
