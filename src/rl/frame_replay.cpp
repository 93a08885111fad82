#include "rl/frame_replay.hpp"

#include "base/error.hpp"

namespace tenfold::rl {

FrameShard::FrameShard(std::size_t capacity, std::size_t frame_size, std::size_t action_size,
                       std::size_t environments)
    : TransitionRing(capacity, action_size),
      frame_size_(frame_size),
      latest_(environments, kNoSlot),
      no_action_(action_size) {
  if (capacity < least_capacity(environments)) {
    throw base::Error(
        base::Code::kUsage,
        fmt::format("a shard's replay memory of {} frames is too small for {} environments",
                    capacity, environments),
        fmt::format("Give at least {} per virtual shard", least_capacity(environments)));
  }
  base::require(capacity < kNoLink, "FrameShard: more rows than a link can count");
  frames_.resize(capacity * frame_size);
  environments_.resize(capacity);
  links_.assign(capacity, kNoLink);
}

double FrameShard::bytes_needed(std::size_t capacity, std::size_t frame_size,
                                std::size_t action_size) {
  return static_cast<double>(capacity) *
         (static_cast<double>(frame_size) + 2.0 * sizeof(std::uint32_t) + ring_bytes(action_size));
}

std::size_t FrameShard::write(std::size_t environment, std::span<const std::uint8_t> frame,
                              std::span<const float> action, float reward, std::uint8_t ending) {
  const bool full = size_ == capacity_;
  const std::size_t slot = push(action, reward, ending);
  // An environment that waited for a whole round of the ring loses its transition.
  if (full && latest_[environments_[slot]] == slot) latest_[environments_[slot]] = kNoSlot;
  if (drawable(slot)) --drawable_;
  std::copy(frame.begin(), frame.end(), frames_.data() + slot * frame_size_);
  environments_[slot] = static_cast<std::uint32_t>(environment);
  links_[slot] = kNoLink;
  return slot;
}

// The row in slot follows the environment's latest transition, if there is one.
std::size_t FrameShard::link(std::size_t environment, std::size_t slot) {
  const std::size_t before = latest_[environment];
  if (before == kNoSlot) return kNoSlot;
  links_[before] = static_cast<std::uint32_t>(slot);
  ++drawable_;
  return before;
}

FrameShard::Added FrameShard::add(std::size_t environment, std::span<const std::uint8_t> frame,
                                  std::span<const float> action, float reward,
                                  std::span<const std::uint8_t> next_frame, Ending ending) {
  base::require(environment < latest_.size() && frame.size() == frame_size_ &&
                    (ending == Ending::kNone || next_frame.size() == frame_size_),
                "FrameShard::add: wrong sizes");
  const std::size_t slot =
      write(environment, frame, action, reward, static_cast<std::uint8_t>(ending));
  Added added{{slot, kNoSlot}, link(environment, slot)};
  latest_[environment] = slot;
  if (ending != Ending::kNone) {
    added.slots[1] = write(environment, next_frame, no_action_, 0, kLastFrame);
    link(environment, added.slots[1]);
    latest_[environment] = kNoSlot;
  }
  return added;
}

std::size_t FrameShard::draw(base::Stream& stream) const {
  base::require(drawable_ > 0, "FrameShard::draw: the memory holds no transition yet");
  // Few rows are refused: last frames, and one of each environment.
  while (true) {
    const auto slot = static_cast<std::size_t>(stream.below(size_));
    if (drawable(slot)) return slot;
  }
}

void FrameShard::gather(std::span<const std::size_t> slots, const NStep& n, const FrameBatch& batch,
                        RandomShifts* shifts) const {
  base::require(shifts == nullptr || shifts->layout().bytes() == frame_size_,
                "FrameShard::gather: pictures of another size");
  for (const std::size_t slot : slots) {
    base::require(slot < capacity_ && drawable(slot), "FrameShard::gather: no transition there");
  }
  const auto later = [this](std::size_t slot) {
    const std::size_t next = links_[slot];
    return drawable(next) ? next : kNoSlot;
  };
  const auto frame = [this](std::size_t slot) { return frames_.data() + slot * frame_size_; };
  const auto successor = [&](std::size_t slot) { return frame(links_[slot]); };
  const auto copy = [&](const std::uint8_t* from, std::uint8_t* to) {
    if (shifts != nullptr) {
      shifts->copy(from, to);
    } else {
      std::copy_n(from, frame_size_, to);
    }
  };
  gather_rows(slots, n, frame_size_, batch, later, frame, successor, copy);
}

void FrameShard::after_load() {
  check_loaded();
  std::fill(links_.begin(), links_.end(), kNoLink);
  std::fill(latest_.begin(), latest_.end(), kNoSlot);
  drawable_ = 0;
  const std::size_t oldest = size_ == capacity_ ? static_cast<std::size_t>(next_) : 0;
  for (std::size_t age = 0; age < size(); ++age) {
    const std::size_t slot = (oldest + age) % capacity_;
    const std::size_t environment = environments_[slot];
    if (environment >= latest_.size() || endings_[slot] > kLastFrame) {
      throw base::Error(base::Code::kCheckpoint,
                        fmt::format("a replay memory of {} environments has a row of number {} "
                                    "that ends with {}",
                                    latest_.size(), environment, endings_[slot]),
                        "The checkpoint is not one of this program's");
    }
    link(environment, slot);
    latest_[environment] = endings_[slot] == kLastFrame ? kNoSlot : slot;
  }
}

}  // namespace tenfold::rl
