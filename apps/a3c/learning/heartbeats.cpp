#include "a3c/learning/heartbeats.hpp"

#include <fmt/format.h>

#include <atomic>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace tenfold::a3c {

namespace {
// Of each rank's cache line.
constexpr int kBeats = 0, kWaits = 1, kName = 2;
constexpr int kWordsOfLine = comm::ArenaLayout::kLine / sizeof(std::int64_t);
constexpr double kBetweenLooks = 0.1;  // s

std::int64_t load(std::int64_t& word) {
  return std::atomic_ref(word).load(std::memory_order_acquire);
}
void store(std::int64_t& word, std::int64_t value) {
  std::atomic_ref(word).store(value, std::memory_order_release);
}

}  // namespace

std::vector<comm::ArenaPart> Heartbeats::parts(int ranks) {
  return {{"heartbeats", static_cast<std::size_t>(ranks) * comm::ArenaLayout::kLine}};
}

Heartbeats::Heartbeats(const comm::SharedArena& arena, const comm::Communicator& node,
                       int world_rank, double limit_s)
    : words_(arena.part<std::int64_t>("heartbeats")),
      rank_(node.rank()),
      ranks_(node.size()),
      limit_s_(limit_s),
      seen_(static_cast<std::size_t>(node.size())) {
  store(word(rank_, kName), world_rank);
}

std::int64_t& Heartbeats::word(int rank, int index) const {
  const int at = rank * kWordsOfLine + index;
  return words_[static_cast<std::size_t>(at)];
}

bool Heartbeats::waits(int rank) const {
  return load(word(rank, kWaits)) != 0;
}

void Heartbeats::beat() {
  std::int64_t& beats = word(rank_, kBeats);
  store(beats, load(beats) + 1);
  if (waits(rank_)) store(word(rank_, kWaits), 0);
}

void Heartbeats::wait() {
  store(word(rank_, kWaits), 1);
  looked_ = 0;
}

void Heartbeats::look() {
  const double now = base::monotonic_now();
  if (limit_s_ <= 0 || now - looked_ < kBetweenLooks) return;
  const bool first_look = looked_ == 0;
  looked_ = now;
  for (int rank = 0; rank < ranks_; ++rank) {
    Seen& seen = seen_[static_cast<std::size_t>(rank)];
    const std::int64_t beats = load(word(rank, kBeats));
    if (first_look || beats != seen.beats || waits(rank)) seen = {beats, now};
    if (now - seen.since < limit_s_) continue;
    for (int earlier = 0; earlier < rank_; ++earlier) {
      if (waits(earlier)) return;  // it will say so
    }
    comm::abort_job(static_cast<int>(base::Code::kWatchdog),
                    fmt::format("rank {} of {} has made no rollout for {:.0f} s while others wait "
                                "for it: its task hangs, or nothing lets it run. The last "
                                "checkpoint stands: run the same command again",
                                load(word(rank, kName)), comm::host_name(), limit_s_));
  }
}

}  // namespace tenfold::a3c
