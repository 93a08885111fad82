// Replay memory of one virtual shard: a ring of transitions, structure of arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/philox.hpp"

namespace tenfold::rl {

/// How an episode stood after a transition.
enum class Ending : std::uint8_t { kNone = 0, kTerminal = 1, kTruncated = 2 };

/// Returns over several steps (Sutton & Barto 2018, section 7.1).
struct NStep {
  std::int64_t steps = 1;
  double gamma = 0.99;
  std::size_t stride = 1;  ///< slots between two transitions of one environment
};

/// Where a minibatch goes, row-major: [rows, width], and [rows] for reward and discount.
struct ReplayBatch {
  float* observation;
  float* action;
  float* reward;            ///< sum over k < m of gamma^k r_k
  float* next_observation;  ///< after those m steps
  float* discount;          ///< gamma^m, 0 when the task ended with them
};

class ReplayShard {
 public:
  /// Preallocates capacity transitions (float32; see bytes_needed).
  ReplayShard(std::size_t capacity, std::size_t observation_size, std::size_t action_size);
  static double bytes_needed(std::size_t capacity, std::size_t observation_size,
                             std::size_t action_size);

  /// Overwrites the oldest when full; returns the slot. kTerminal: the task ended (bootstrapping
  /// stops); kTruncated: a time limit, bootstrapping goes on. next_observation is the true
  /// successor, also at the end of an episode.
  std::size_t add(std::span<const float> observation, std::span<const float> action, float reward,
                  std::span<const float> next_observation, Ending ending);
  std::size_t size() const { return static_cast<std::size_t>(size_); }
  std::size_t capacity() const { return capacity_; }

  /// A uniform draw, with replacement. Throws Code::kBug when empty.
  std::size_t draw(base::Stream& stream) const;
  /// Copies the transitions that begin in slots. Fewer than n.steps steps are looked ahead where
  /// the episode ended or the newest transition is reached: the discount says how many. Throws
  /// Code::kBug when n.stride does not divide the capacity and n.steps is above 1.
  void gather(std::span<const std::size_t> slots, const NStep& n, const ReplayBatch& batch) const;

  /// Storage for checkpoints, each [capacity, width]; only the first size() rows are in use.
  float* observations() { return observations_.data(); }
  float* actions() { return actions_.data(); }
  float* rewards() { return rewards_.data(); }
  float* next_observations() { return next_observations_.data(); }
  std::uint8_t* terminals() { return endings_.data(); }  ///< of Ending
  std::uint64_t* cursor() { return &next_; }             ///< where the next transition goes
  std::uint64_t* fill() { return &size_; }
  /// Transitions ever added, as far as this object can tell: after cursor and fill were loaded, the
  /// least number that fits them. The i-th lies in slot i % capacity().
  std::uint64_t written() const { return written_; }
  /// To be called after cursor and fill were written from outside. Throws Code::kCheckpoint when
  /// they contradict each other.
  void after_load();

 private:
  /// How many transitions of the same environment came after that in slot.
  std::size_t later_slots(std::size_t slot, std::size_t stride) const;

  std::size_t capacity_, observation_size_, action_size_;
  std::uint64_t next_ = 0, size_ = 0, written_ = 0;
  std::vector<float> observations_, actions_, rewards_, next_observations_;
  std::vector<std::uint8_t> endings_;
};

}  // namespace tenfold::rl
