#include "rl/replay.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::rl {

ReplayShard::ReplayShard(std::size_t capacity, std::size_t observation_size,
                         std::size_t action_size)
    : capacity_(capacity), observation_size_(observation_size), action_size_(action_size) {
  if (capacity == 0) {
    throw base::Error(base::Code::kUsage, "the replay memory of a shard holds 0 transitions",
                      "Give a replay capacity of at least one transition per virtual shard");
  }
  observations_.resize(capacity * observation_size);
  actions_.resize(capacity * action_size);
  rewards_.resize(capacity);
  next_observations_.resize(capacity * observation_size);
  terminals_.resize(capacity);
}

double ReplayShard::bytes_needed(std::size_t capacity, std::size_t observation_size,
                                 std::size_t action_size) {
  const double floats =
      2.0 * static_cast<double>(observation_size) + static_cast<double>(action_size) + 1.0;
  return static_cast<double>(capacity) * (floats * sizeof(float) + sizeof(std::uint8_t));
}

void ReplayShard::add(std::span<const float> observation, std::span<const float> action,
                      float reward, std::span<const float> next_observation, bool terminal) {
  base::require(observation.size() == observation_size_ && action.size() == action_size_ &&
                    next_observation.size() == observation_size_ && next_ < capacity_,
                "ReplayShard::add: wrong sizes");
  const auto slot = static_cast<std::size_t>(next_);
  std::copy(observation.begin(), observation.end(), &observations_[slot * observation_size_]);
  std::copy(action.begin(), action.end(), &actions_[slot * action_size_]);
  std::copy(next_observation.begin(), next_observation.end(),
            &next_observations_[slot * observation_size_]);
  rewards_[slot] = reward;
  terminals_[slot] = terminal ? 1 : 0;
  next_ = (next_ + 1) % capacity_;
  size_ = std::min<std::uint64_t>(size_ + 1, capacity_);
  ++written_;
}

void ReplayShard::after_load() {
  const bool full = size_ == capacity_;
  if (next_ >= capacity_ || size_ > capacity_ || (!full && next_ != size_)) {
    throw base::Error(base::Code::kCheckpoint,
                      fmt::format("a replay memory of {} transitions holds {} and goes on at {}",
                                  capacity_, size_, next_),
                      "The checkpoint is not one of this program's");
  }
  written_ = full ? capacity_ + next_ : size_;
}

void ReplayShard::sample(base::Stream& stream, std::size_t rows, float* observation, float* action,
                         float* reward, float* next_observation, float* terminal) const {
  base::require(size_ > 0 && size_ <= capacity_, "ReplayShard::sample: the memory is empty");
  for (std::size_t row = 0; row < rows; ++row) {
    const auto slot = static_cast<std::size_t>(stream.below(size_));
    std::copy_n(observations_.data() + slot * observation_size_, observation_size_,
                observation + row * observation_size_);
    std::copy_n(actions_.data() + slot * action_size_, action_size_, action + row * action_size_);
    std::copy_n(next_observations_.data() + slot * observation_size_, observation_size_,
                next_observation + row * observation_size_);
    reward[row] = rewards_[slot];
    terminal[row] = terminals_[slot];
  }
}

}  // namespace tenfold::rl
