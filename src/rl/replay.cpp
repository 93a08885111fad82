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
  endings_.resize(capacity);
}

double ReplayShard::bytes_needed(std::size_t capacity, std::size_t observation_size,
                                 std::size_t action_size) {
  const double floats =
      2.0 * static_cast<double>(observation_size) + static_cast<double>(action_size) + 1.0;
  return static_cast<double>(capacity) * (floats * sizeof(float) + sizeof(std::uint8_t));
}

std::size_t ReplayShard::add(std::span<const float> observation, std::span<const float> action,
                             float reward, std::span<const float> next_observation, Ending ending) {
  base::require(observation.size() == observation_size_ && action.size() == action_size_ &&
                    next_observation.size() == observation_size_ && next_ < capacity_,
                "ReplayShard::add: wrong sizes");
  const auto slot = static_cast<std::size_t>(next_);
  std::copy(observation.begin(), observation.end(), &observations_[slot * observation_size_]);
  std::copy(action.begin(), action.end(), &actions_[slot * action_size_]);
  std::copy(next_observation.begin(), next_observation.end(),
            &next_observations_[slot * observation_size_]);
  rewards_[slot] = reward;
  endings_[slot] = static_cast<std::uint8_t>(ending);
  next_ = (next_ + 1) % capacity_;
  size_ = std::min<std::uint64_t>(size_ + 1, capacity_);
  ++written_;
  return slot;
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

std::size_t ReplayShard::draw(base::Stream& stream) const {
  base::require(size_ > 0 && size_ <= capacity_, "ReplayShard::draw: the memory is empty");
  return static_cast<std::size_t>(stream.below(size_));
}

std::size_t ReplayShard::later_slots(std::size_t slot, std::size_t stride) const {
  // Age counts from the newest transition, which lies before the cursor.
  const std::size_t newest = static_cast<std::size_t>(next_ + capacity_ - 1) % capacity_;
  const std::size_t age = (newest + capacity_ - slot) % capacity_;
  return age / stride;
}

void ReplayShard::gather(std::span<const std::size_t> slots, const NStep& n,
                         const ReplayBatch& batch) const {
  base::require(n.steps == 1 || capacity_ % n.stride == 0,
                "ReplayShard::gather: environments do not keep their places in this capacity");
  for (std::size_t row = 0; row < slots.size(); ++row) {
    const std::size_t first = slots[row];
    const auto ahead = n.steps == 1 ? 0
                                    : std::min(static_cast<std::size_t>(n.steps - 1),
                                               later_slots(first, n.stride));
    std::size_t last = first;
    double reward = rewards_[first], discount = n.gamma;
    for (std::size_t k = 0; k < ahead && endings_[last] == 0; ++k) {
      last = (last + n.stride) % capacity_;
      reward += discount * static_cast<double>(rewards_[last]);
      discount *= n.gamma;
    }
    const bool terminal = endings_[last] == static_cast<std::uint8_t>(Ending::kTerminal);
    std::copy_n(observations_.data() + first * observation_size_, observation_size_,
                batch.observation + row * observation_size_);
    std::copy_n(actions_.data() + first * action_size_, action_size_,
                batch.action + row * action_size_);
    std::copy_n(next_observations_.data() + last * observation_size_, observation_size_,
                batch.next_observation + row * observation_size_);
    batch.reward[row] = static_cast<float>(reward);
    batch.discount[row] = terminal ? 0.0F : static_cast<float>(discount);
  }
}

}  // namespace tenfold::rl
