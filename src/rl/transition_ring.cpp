#include "rl/transition_ring.hpp"

#include "base/error.hpp"

namespace tenfold::rl {

TransitionRing::TransitionRing(std::size_t capacity, std::size_t action_size)
    : capacity_(capacity), action_size_(action_size) {
  if (capacity == 0) {
    throw base::Error(base::Code::kUsage, "the replay memory of a shard holds 0 transitions",
                      "Give a replay capacity of at least one transition per virtual shard");
  }
  actions_.resize(capacity * action_size);
  rewards_.resize(capacity);
  endings_.resize(capacity);
}

double TransitionRing::ring_bytes(std::size_t action_size) {
  return static_cast<double>(action_size + 1) * sizeof(float) + sizeof(std::uint8_t);
}

std::size_t TransitionRing::push(std::span<const float> action, float reward, std::uint8_t ending) {
  base::require(action.size() == action_size_ && next_ < capacity_,
                "TransitionRing::push: wrong sizes");
  const auto slot = static_cast<std::size_t>(next_);
  std::copy(action.begin(), action.end(), actions_.data() + slot * action_size_);
  rewards_[slot] = reward;
  endings_[slot] = ending;
  next_ = (next_ + 1) % capacity_;
  size_ = std::min<std::uint64_t>(size_ + 1, capacity_);
  ++written_;
  return slot;
}

void TransitionRing::check_loaded() {
  const bool full = size_ == capacity_;
  if (next_ >= capacity_ || size_ > capacity_ || (!full && next_ != size_)) {
    throw base::Error(base::Code::kCheckpoint,
                      fmt::format("a replay memory of {} transitions holds {} and goes on at {}",
                                  capacity_, size_, next_),
                      "The checkpoint is not one of this program's");
  }
  written_ = full ? capacity_ + next_ : size_;
}

}  // namespace tenfold::rl
