// What every replay memory of a virtual shard has: a ring of rows with action, reward and ending,
// and returns over several steps.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
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
  std::size_t stride = 1;  ///< slots between two transitions of one environment (ReplayShard)
};

/// Where a minibatch goes, row-major: [rows, width], and [rows] for reward and discount. T: float
/// for states, std::uint8_t for frames.
template <class T>
struct ReplayBatchOf {
  T* observation;
  float* action;
  float* reward;        ///< sum over k < m of gamma^k r_k
  T* next_observation;  ///< after those m steps
  float* discount;      ///< gamma^m, 0 when the task ended with them
};
using ReplayBatch = ReplayBatchOf<float>;
using FrameBatch = ReplayBatchOf<std::uint8_t>;

/// The storage that a memory of states and one of frames share.
class TransitionRing {
 public:
  static constexpr std::size_t kNoSlot = std::numeric_limits<std::size_t>::max();

  std::size_t size() const { return static_cast<std::size_t>(size_); }  ///< rows in use
  std::size_t capacity() const { return capacity_; }
  /// Storage for checkpoints, each [capacity, width]; only the first size() rows are in use.
  float* actions() { return actions_.data(); }
  float* rewards() { return rewards_.data(); }
  std::uint8_t* terminals() { return endings_.data(); }  ///< of Ending
  std::uint64_t* cursor() { return &next_; }             ///< where the next row goes
  std::uint64_t* fill() { return &size_; }
  /// Rows ever added, as far as this object can tell: after cursor and fill were loaded, the least
  /// number that fits them. The i-th lies in slot i % capacity().
  std::uint64_t written() const { return written_; }

 protected:
  /// Preallocates; throws Code::kUsage for a capacity of 0.
  TransitionRing(std::size_t capacity, std::size_t action_size);
  /// Per row: action, reward and ending.
  static double ring_bytes(std::size_t action_size);

  /// Takes the next slot, which is the oldest's when full.
  std::size_t push(std::span<const float> action, float reward, std::uint8_t ending);
  /// Throws Code::kCheckpoint when cursor and fill, written from outside, contradict each other.
  void check_loaded();

  /// later(slot): the slot of the same environment's next transition that may be used, or kNoSlot.
  /// observation(slot), successor(slot): where the width values lie that the agent saw before and
  /// after the transition in slot. copy(from, to): copies them, of each row before and after.
  template <class T, class Later, class Observation, class Successor, class Copy>
  void gather_rows(std::span<const std::size_t> slots, const NStep& n, std::size_t width,
                   const ReplayBatchOf<T>& batch, Later later, Observation observation,
                   Successor successor, Copy copy) const {
    for (std::size_t row = 0; row < slots.size(); ++row) {
      const std::size_t first = slots[row];
      std::size_t last = first;
      double reward = rewards_[first], discount = n.gamma;
      for (std::int64_t k = 1; k < n.steps && endings_[last] == 0; ++k) {
        const std::size_t next = later(last);
        if (next == kNoSlot) break;
        last = next;
        reward += discount * static_cast<double>(rewards_[last]);
        discount *= n.gamma;
      }
      const bool terminal = endings_[last] == static_cast<std::uint8_t>(Ending::kTerminal);
      copy(observation(first), batch.observation + row * width);
      copy(successor(last), batch.next_observation + row * width);
      std::copy_n(actions_.data() + first * action_size_, action_size_,
                  batch.action + row * action_size_);
      batch.reward[row] = static_cast<float>(reward);
      batch.discount[row] = terminal ? 0.0F : static_cast<float>(discount);
    }
  }

  std::size_t capacity_, action_size_;
  std::uint64_t next_ = 0, size_ = 0, written_ = 0;
  std::vector<float> actions_, rewards_;
  std::vector<std::uint8_t> endings_;
};

}  // namespace tenfold::rl
