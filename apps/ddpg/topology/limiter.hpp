// Keeps the number of updates for each decision what was asked for, however fast acting and
// learning are.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tenfold::ddpg {

/// When updates begin. A round is one decision in every environment; rounds are numbered over the
/// whole run.
struct WarmUp {
  std::uint64_t decisions = 1;    ///< of a round
  std::uint64_t start_steps = 0;  ///< decisions that are taken at random
  std::uint64_t per_shard = 1;    ///< transitions of one round in one shard's memory
  std::uint64_t capacity = 1;     ///< of a shard's memory
  std::uint64_t wanted = 1;       ///< transitions that a shard's memory must hold
  std::uint64_t first_round = 0;  ///< since when the memory is known: rounds that it holds then
  std::uint64_t held = 0;
  std::uint64_t waiting = 0;  ///< a shard's newest transitions that cannot be drawn yet

  /// Whether updates are due for this round (first_round or later).
  bool over(std::uint64_t round) const {
    const std::uint64_t rounds = held + round - first_round + 1;
    const std::uint64_t rows = rounds * per_shard - std::min(rounds * per_shard, waiting);
    return round * decisions >= start_steps && std::min(rows, capacity) >= wanted;
  }
};

/// The updates that are due: learners credit rounds that came in and pay with updates; actors may
/// begin a round while less than the band is due.
class Limiter {
 public:
  /// band: decisions that acting may be ahead of learning; 0: no round begins before every update
  /// of the rounds before it.
  Limiter(double updates_per_step, std::uint64_t decisions, double band)
      : of_round_(updates_per_step * static_cast<double>(decisions)),
        slack_(updates_per_step * band) {}

  void credit() { due_ += of_round_; }
  bool due() const { return due_ >= 1; }
  void updated() { due_ -= 1; }
  double backlog() const { return due_; }
  double* backlog_storage() { return &due_; }
  /// Whether a round may begin when the learners were last heard of with this backlog, and so many
  /// rounds that count were acted since.
  bool may_act(double backlog, std::uint64_t open_rounds) const {
    return backlog + static_cast<double>(open_rounds) * of_round_ < 1 + slack_;
  }

 private:
  double of_round_, slack_;
  double due_ = 0;
};

}  // namespace tenfold::ddpg
