// Replay memory of one virtual shard for states: a ring of transitions, structure of arrays.
#pragma once

#include "rl/transition_ring.hpp"

namespace tenfold::rl {

class ReplayShard : public TransitionRing {
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

  /// A uniform draw, with replacement. Throws Code::kBug when empty.
  std::size_t draw(base::Stream& stream) const;
  /// Copies the transitions that begin in slots. Fewer than n.steps steps are looked ahead where
  /// the episode ended or the newest transition is reached: the discount says how many. Throws
  /// Code::kBug when n.stride does not divide the capacity and n.steps is above 1.
  void gather(std::span<const std::size_t> slots, const NStep& n, const ReplayBatch& batch) const;

  /// Storage for checkpoints, as TransitionRing's.
  float* observations() { return observations_.data(); }
  float* next_observations() { return next_observations_.data(); }
  /// To be called after cursor and fill were written from outside. Throws Code::kCheckpoint when
  /// they contradict each other.
  void after_load() { check_loaded(); }

 private:
  std::size_t observation_size_;
  std::vector<float> observations_, next_observations_;
};

}  // namespace tenfold::rl
