// Replay memory of one virtual shard for frames: every picture is stored once.
#pragma once

#include "rl/frame_shift.hpp"
#include "rl/transition_ring.hpp"

namespace tenfold::rl {

/// A ring of rows. A row is what one environment saw, as bytes, with what it did then; what it saw
/// next is the next row of the same environment. Behind an episode's last transition stands a row
/// of its own for what that one led to. Rows of several environments may come in any order.
///
/// Rows are overwritten oldest first, so that a transition always goes before its successor does.
/// It can be drawn once its successor is there: not before the environment's next add().
class FrameShard : public TransitionRing {
 public:
  /// Of rows that hold an episode's last frame and no transition, beside the values of Ending.
  static constexpr std::uint8_t kLastFrame = 3;

  /// capacity: rows, preallocated (see bytes_needed). Throws Code::kUsage below least_capacity.
  FrameShard(std::size_t capacity, std::size_t frame_size, std::size_t action_size,
             std::size_t environments);
  static double bytes_needed(std::size_t capacity, std::size_t frame_size, std::size_t action_size);
  /// Rows without which there may be nothing to draw.
  static std::size_t least_capacity(std::size_t environments) { return 2 * environments + 2; }

  /// What an add() changed, for who keeps something per slot.
  struct Added {
    std::size_t slots[2];   ///< written, the second kNoSlot where no episode ended
    std::size_t preceding;  ///< can be drawn from now on, or kNoSlot
  };
  /// frame: what the environment saw; next_frame: what it saw then, read only where the episode
  /// ended. Throws Code::kBug for wrong sizes.
  Added add(std::size_t environment, std::span<const std::uint8_t> frame,
            std::span<const float> action, float reward, std::span<const std::uint8_t> next_frame,
            Ending ending);
  /// Whether a transition lies in the slot and its successor is known.
  bool drawable(std::size_t slot) const { return links_[slot] != kNoLink; }
  std::size_t drawable_count() const { return drawable_; }

  /// A uniform draw of those that can be drawn, with replacement. Throws Code::kBug when there is
  /// none.
  std::size_t draw(base::Stream& stream) const;
  /// Copies the transitions that begin in slots, which must be drawable. As ReplayShard's, n.stride
  /// is not used. With shifts, each observation and each next observation is moved by one of its
  /// own. Throws Code::kBug for pictures of another size than the frames.
  void gather(std::span<const std::size_t> slots, const NStep& n, const FrameBatch& batch,
              RandomShifts* shifts = nullptr) const;

  /// Storage for checkpoints, as TransitionRing's.
  std::uint8_t* frames() { return frames_.data(); }
  std::uint32_t* environments() { return environments_.data(); }
  /// To be called after all storage was written from outside. Throws Code::kCheckpoint when it
  /// contradicts itself.
  void after_load();

 private:
  static constexpr std::uint32_t kNoLink = ~std::uint32_t{0};
  std::size_t write(std::size_t environment, std::span<const std::uint8_t> frame,
                    std::span<const float> action, float reward, std::uint8_t ending);
  std::size_t link(std::size_t environment, std::size_t slot);

  std::size_t frame_size_, drawable_ = 0;
  std::vector<std::uint8_t> frames_;
  std::vector<std::uint32_t> environments_;  ///< of each row
  /// Slot of the row that follows a transition. Not saved: it changes after its row was, and
  /// follows from the rows.
  std::vector<std::uint32_t> links_;
  std::vector<std::size_t> latest_;  ///< per environment: a transition without successor yet
  std::vector<float> no_action_;
};

}  // namespace tenfold::rl
