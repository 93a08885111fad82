#include "ddpg/memory.hpp"

#include <algorithm>
#include <cmath>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tenfold::ddpg {

using base::Purpose;

namespace {

// Schaul et al. 2016, section 3.3: keeps transitions of no error alive.
constexpr double kSmallestError = 1e-6;

// Looking ahead needs whole rounds of a shard's environments, so that each keeps its places when
// the memory wraps. Without it every size will do, and checkpoints from before rounds stay
// readable. Frames know their environment.
std::size_t capacity_of_shard(const Config& config, const train::ShardPlan& shards,
                              std::size_t frame_size) {
  const std::size_t round =
      config.n_step == 1 || frame_size > 0 ? 1 : static_cast<std::size_t>(config.envs_per_shard);
  const std::size_t share = static_cast<std::size_t>(config.replay) / shards.shards;
  return std::max(round, share / round * round);
}

void check_memory(const Config& config, const train::ShardPlan& shards, const env::Spec& spec,
                  std::size_t frame_size) {
  const std::size_t capacity = capacity_of_shard(config, shards, frame_size);
  const double priorities =
      config.sampling == "prioritised" ? rl::PriorityTree::bytes_needed(capacity) : 0;
  const double rows =
      frame_size > 0
          ? rl::FrameShard::bytes_needed(capacity, frame_size, spec.action_size)
          : rl::ReplayShard::bytes_needed(capacity, spec.observation_size, spec.action_size);
  const double needed = static_cast<double>(shards.local()) * (priorities + rows);
  const double available = base::available_memory_bytes();
  if (needed > available) {
    throw base::Error(
        base::Code::kUsage,
        fmt::format("learning.replay {} needs {} of memory on this rank, {} are available",
                    config.replay, base::human_bytes(needed), base::human_bytes(available)),
        frame_size > 0 ? fmt::format("Lower --replay ({} an observation), or use more nodes",
                                     base::human_bytes(static_cast<double>(frame_size)))
                       : "Lower --replay, or use more nodes");
  }
}

}  // namespace

Memory::Memory(const Config& config, const env::Spec& spec, train::RunContext& context,
               std::size_t frame_size)
    : config_(config),
      context_(context),
      observation_size_(spec.observation_size),
      action_size_(spec.action_size),
      frame_size_(frame_size),
      capacity_(capacity_of_shard(config, context.shards, frame_size)),
      n_step_{config.n_step, config.gamma, static_cast<std::size_t>(config.envs_per_shard)} {
  check_memory(config, context.shards, spec, frame_size);
  for (std::size_t shard = 0; shard < context.shards.local(); ++shard) {
    if (frames()) {
      frames_.emplace_back(capacity_, frame_size, action_size_, n_step_.stride);
    } else {
      shards_.emplace_back(capacity_, observation_size_, action_size_);
    }
    if (config.sampling == "prioritised") trees_.emplace_back(capacity_);
  }
  largest_priority_.assign(context.shards.local(), 1.0);
  added_.assign(context.shards.local(), 0);
}

rl::TransitionRing& Memory::ring(std::size_t local_shard) {
  if (frames()) return frames_[local_shard];
  return shards_[local_shard];
}

const rl::TransitionRing& Memory::ring(std::size_t local_shard) const {
  if (frames()) return frames_[local_shard];
  return shards_[local_shard];
}

std::uint64_t Memory::transitions_per_shard() const {
  if (!frames()) return shards_.front().size();
  // Of rows, ranks hold different numbers: episodes end where they end.
  return added_.front() - std::min<std::uint64_t>(added_.front(), rows_waiting());
}

std::uint64_t Memory::rounds_held() const {
  return (frames() ? added_.front() : shards_.front().size()) / n_step_.stride;
}

std::uint64_t Memory::held(std::size_t local_shard) const {
  return frames() ? frames_[local_shard].drawable_count() : shards_[local_shard].size();
}

void Memory::add(std::size_t local_shard, std::span<const float> observation,
                 std::span<const float> action, float reward,
                 std::span<const float> next_observation, rl::Ending ending) {
  const std::size_t slot =
      shards_[local_shard].add(observation, action, reward, next_observation, ending);
  if (!trees_.empty()) trees_[local_shard].set(slot, largest_priority_[local_shard]);
}

void Memory::add_frame(std::size_t local_shard, std::size_t environment,
                       std::span<const std::uint8_t> frame, std::span<const float> action,
                       float reward, std::span<const std::uint8_t> next_frame, rl::Ending ending) {
  rl::FrameShard& shard = frames_[local_shard];
  const auto added = shard.add(environment, frame, action, reward, next_frame, ending);
  ++added_[local_shard];
  if (trees_.empty()) return;
  rl::PriorityTree& tree = trees_[local_shard];
  for (const std::size_t slot : added.slots) {
    if (slot != rl::TransitionRing::kNoSlot) tree.clear(slot);
  }
  for (const std::size_t slot : {added.preceding, added.slots[0]}) {
    if (slot == rl::TransitionRing::kNoSlot || !shard.drawable(slot)) continue;
    tree.set(slot, largest_priority_[local_shard]);
  }
}

std::uint64_t Memory::transitions_wanted(std::int64_t rows) const {
  const auto warm_up = static_cast<std::uint64_t>(config_.start_steps) / context_.shards.shards;
  return std::min(std::max(static_cast<std::uint64_t>(rows), warm_up), capacity_);
}

void Memory::draw(std::size_t local_shard, std::int64_t rows, std::uint64_t number) {
  base::Stream stream(context_.seed, Purpose::kReplaySample,
                      static_cast<std::uint32_t>(context_.shards.mine[local_shard]), number);
  for (std::int64_t row = 0; row < rows; ++row) {
    slots_.push_back(!trees_.empty() ? trees_[local_shard].draw(stream)
                     : frames()      ? frames_[local_shard].draw(stream)
                                     : shards_[local_shard].draw(stream));
  }
}

void Memory::gather_frames(const rl::FrameBatch& batch, std::size_t local_shard,
                           std::span<const std::size_t> slots, std::uint64_t number) const {
  if (config_.augment_shift == 0) {
    frames_[local_shard].gather(slots, n_step_, batch);
    return;
  }
  const auto side = static_cast<std::size_t>(config_.pixel_size);
  rl::RandomShifts shifts(
      {side, side, frame_size_ / (side * side)}, config_.augment_shift,
      base::Stream(context_.seed, Purpose::kPictureShift,
                   static_cast<std::uint32_t>(context_.shards.mine[local_shard]), number));
  frames_[local_shard].gather(slots, n_step_, batch, &shifts);
}

void Memory::gather(const Batch& batch, std::size_t local_shard, std::size_t count,
                    std::uint64_t number) const {
  const std::size_t at = local_shard * count;
  const std::span<const std::size_t> slots(slots_.data() + at, count);
  const auto into = [&]<class T>(std::size_t width) {
    return rl::ReplayBatchOf<T>{
        batch.observation.data_ptr<T>() + at * width,
        batch.action.data_ptr<float>() + at * action_size_, batch.reward.data_ptr<float>() + at,
        batch.next_observation.data_ptr<T>() + at * width, batch.discount.data_ptr<float>() + at};
  };
  if (frames()) {
    gather_frames(into.operator()<std::uint8_t>(frame_size_), local_shard, slots, number);
  } else {
    shards_[local_shard].gather(slots, n_step_, into.operator()<float>(observation_size_));
  }
}

void Memory::sample(Batch& batch, std::int64_t rows, std::uint64_t number, double progress) {
  // Groups hold their shards' rows one behind the other, so local shard k starts at row k * rows of
  // the whole contiguous batch in either layout.
  const auto count = static_cast<std::size_t>(rows);
  slots_.clear();
  for (std::size_t k = 0; k < local_shards(); ++k) {
    draw(k, rows, number);
    gather(batch, k, count, number);
  }
  if (!trees_.empty()) weigh(batch, rows, config_.per_beta + (1 - config_.per_beta) * progress);
}

void Memory::weigh(Batch& batch, std::int64_t rows, double beta) {
  const auto count = static_cast<std::size_t>(rows);
  float* const weights = batch.weight.data_ptr<float>();
  float largest = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::size_t k = i / count;
    const double probability = trees_[k].priority(slots_[i]) / trees_[k].total();
    weights[i] = static_cast<float>(std::pow(static_cast<double>(held(k)) * probability, -beta));
    largest = std::max(largest, weights[i]);
  }
  largest = context_.world.all_reduce(largest, comm::Op::kMax);
  for (std::size_t i = 0; i < slots_.size(); ++i) weights[i] /= largest;
}

void Memory::update_priorities(const Batch& batch) {
  if (trees_.empty()) return;
  const std::size_t count = slots_.size() / local_shards();
  const float* const errors = batch.error.data_ptr<float>();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!std::isfinite(errors[i])) continue;  // of an update that was left out
    const double priority =
        std::pow(std::abs(static_cast<double>(errors[i])) + kSmallestError, config_.per_alpha);
    trees_[i / count].set(slots_[i], priority);
    largest_priority_[i / count] = std::max(largest_priority_[i / count], priority);
  }
}

void Memory::storage_state(store::StateRegistry& registry) {
  const train::ShardPlan& plan = context_.shards;
  const auto of = [&plan](auto& shards, auto member) {
    return [&shards, &plan, member](std::size_t shard) {
      return (shards[plan.local_index(shard)].*member)();
    };
  };
  const std::uint64_t capacity = capacity_per_shard();
  const auto written = [this, &plan](std::size_t shard) {
    return ring(plan.local_index(shard)).written();
  };
  using rl::FrameShard, rl::ReplayShard;
  if (frames()) {
    registry.ring<std::uint8_t>("replay/frame", {capacity, frame_size_},
                                of(frames_, &FrameShard::frames), written);
    registry.ring<std::uint32_t>("replay/environment", {capacity},
                                 of(frames_, &FrameShard::environments), written);
    registry.sharded<std::uint64_t>("replay/added", {}, [this, &plan](std::size_t shard) {
      return &added_[plan.local_index(shard)];
    });
  } else {
    registry.ring<float>("replay/observation", {capacity, observation_size_},
                         of(shards_, &ReplayShard::observations), written);
    registry.ring<float>("replay/next_observation", {capacity, observation_size_},
                         of(shards_, &ReplayShard::next_observations), written);
  }
}

void Memory::state(store::StateRegistry& registry) {
  if (config_.replay_checkpoint == "none") {
    registry.on_load([this] {
      base::log_info(
          "the checkpoint holds no replay memory (--replay-checkpoint none): updates wait "
          "until it holds {} transitions again",
          transitions_wanted(1) * context_.shards.shards);
    });
    return;
  }
  const train::ShardPlan& plan = context_.shards;
  const auto of = [this, &plan](auto member) {
    return [this, &plan, member](std::size_t shard) {
      return (ring(plan.local_index(shard)).*member)();
    };
  };
  const std::uint64_t capacity = capacity_per_shard();
  const auto written = [this, &plan](std::size_t shard) {
    return ring(plan.local_index(shard)).written();
  };
  using rl::TransitionRing;
  storage_state(registry);
  registry.ring<float>("replay/action", {capacity, action_size_}, of(&TransitionRing::actions),
                       written);
  registry.ring<float>("replay/reward", {capacity}, of(&TransitionRing::rewards), written);
  registry.ring<std::uint8_t>("replay/terminal", {capacity}, of(&TransitionRing::terminals),
                              written);
  registry.sharded<std::uint64_t>("replay/cursor", {}, of(&TransitionRing::cursor));
  registry.sharded<std::uint64_t>("replay/fill", {}, of(&TransitionRing::fill));
  registry.set_increments(config_.replay_checkpoint == "incremental");
  registry.on_load([this] {
    for (rl::ReplayShard& each : shards_) each.after_load();
    for (rl::FrameShard& each : frames_) each.after_load();
    for (rl::PriorityTree& each : trees_) each.rebuild();
  });
  if (config_.sampling != "prioritised") return;
  // Any row's may have changed since the last checkpoint: never an increment.
  registry.sharded<double>(
      "replay/priority", {capacity},
      [this, &plan](std::size_t shard) { return trees_[plan.local_index(shard)].priorities(); },
      [this, &plan](std::size_t shard) {
        return static_cast<std::uint64_t>(ring(plan.local_index(shard)).size());
      });
  registry.sharded<double>("replay/largest_priority", {}, [this, &plan](std::size_t shard) {
    return &largest_priority_[plan.local_index(shard)];
  });
}

}  // namespace tenfold::ddpg
