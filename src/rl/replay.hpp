// Replay memory of one virtual shard: a ring of transitions, structure of arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/philox.hpp"

namespace tenfold::rl {

class ReplayShard {
 public:
  /// Preallocates capacity transitions (float32; see bytes_needed).
  ReplayShard(std::size_t capacity, std::size_t observation_size, std::size_t action_size);
  static double bytes_needed(std::size_t capacity, std::size_t observation_size,
                             std::size_t action_size);

  /// Overwrites the oldest when full. terminal: the task ended (bootstrapping stops); a time limit
  /// is not terminal. next_observation is the true successor, also at the end of an episode.
  void add(std::span<const float> observation, std::span<const float> action, float reward,
           std::span<const float> next_observation, bool terminal);
  std::size_t size() const { return static_cast<std::size_t>(size_); }
  std::size_t capacity() const { return capacity_; }

  /// rows uniform draws with replacement into row-major buffers [rows, width]. Throws Code::kBug
  /// when empty.
  void sample(base::Stream& stream, std::size_t rows, float* observation, float* action,
              float* reward, float* next_observation, float* terminal) const;

  /// Storage for checkpoints, each [capacity, width]; only the first size() rows are in use.
  float* observations() { return observations_.data(); }
  float* actions() { return actions_.data(); }
  float* rewards() { return rewards_.data(); }
  float* next_observations() { return next_observations_.data(); }
  std::uint8_t* terminals() { return terminals_.data(); }
  std::uint64_t* cursor() { return &next_; }  ///< where the next transition goes
  std::uint64_t* fill() { return &size_; }
  /// Transitions ever added, as far as this object can tell: after cursor and fill were loaded, the
  /// least number that fits them. The i-th lies in slot i % capacity().
  std::uint64_t written() const { return written_; }
  /// To be called after cursor and fill were written from outside. Throws Code::kCheckpoint when
  /// they contradict each other.
  void after_load();

 private:
  std::size_t capacity_, observation_size_, action_size_;
  std::uint64_t next_ = 0, size_ = 0, written_ = 0;
  std::vector<float> observations_, actions_, rewards_, next_observations_;
  std::vector<std::uint8_t> terminals_;
};

}  // namespace tenfold::rl
