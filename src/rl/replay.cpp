#include "rl/replay.hpp"

#include "base/error.hpp"

namespace tenfold::rl {

ReplayShard::ReplayShard(std::size_t capacity, std::size_t observation_size,
                         std::size_t action_size)
    : TransitionRing(capacity, action_size), observation_size_(observation_size) {
  observations_.resize(capacity * observation_size);
  next_observations_.resize(capacity * observation_size);
}

double ReplayShard::bytes_needed(std::size_t capacity, std::size_t observation_size,
                                 std::size_t action_size) {
  return static_cast<double>(capacity) *
         (2.0 * static_cast<double>(observation_size) * sizeof(float) + ring_bytes(action_size));
}

std::size_t ReplayShard::add(std::span<const float> observation, std::span<const float> action,
                             float reward, std::span<const float> next_observation, Ending ending) {
  base::require(
      observation.size() == observation_size_ && next_observation.size() == observation_size_,
      "ReplayShard::add: wrong sizes");
  const std::size_t slot = push(action, reward, static_cast<std::uint8_t>(ending));
  std::copy(observation.begin(), observation.end(), &observations_[slot * observation_size_]);
  std::copy(next_observation.begin(), next_observation.end(),
            &next_observations_[slot * observation_size_]);
  return slot;
}

std::size_t ReplayShard::draw(base::Stream& stream) const {
  base::require(size_ > 0 && size_ <= capacity_, "ReplayShard::draw: the memory is empty");
  return static_cast<std::size_t>(stream.below(size_));
}

void ReplayShard::gather(std::span<const std::size_t> slots, const NStep& n,
                         const ReplayBatch& batch) const {
  base::require(n.steps == 1 || capacity_ % n.stride == 0,
                "ReplayShard::gather: environments do not keep their places in this capacity");
  // Age counts from the newest transition, which lies before the cursor.
  const std::size_t newest = static_cast<std::size_t>(next_ + capacity_ - 1) % capacity_;
  const auto later = [&](std::size_t slot) {
    const std::size_t age = (newest + capacity_ - slot) % capacity_;
    return age < n.stride ? kNoSlot : (slot + n.stride) % capacity_;
  };
  const auto observation = [this](std::size_t slot) {
    return observations_.data() + slot * observation_size_;
  };
  const auto successor = [this](std::size_t slot) {
    return next_observations_.data() + slot * observation_size_;
  };
  const auto copy = [this](const float* from, float* to) {
    std::copy_n(from, observation_size_, to);
  };
  gather_rows(slots, n, observation_size_, batch, later, observation, successor, copy);
}

}  // namespace tenfold::rl
