// The replay memory of this rank's virtual shards: storing, drawing minibatches, checkpoints.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ddpg/agent.hpp"
#include "ddpg/config.hpp"
#include "env/batch_env.hpp"
#include "rl/frame_replay.hpp"
#include "rl/priority_tree.hpp"
#include "rl/replay.hpp"
#include "store/state_registry.hpp"
#include "train/experiment.hpp"

namespace tenfold::ddpg {

/// What takes the transitions of an environment batch in.
class TransitionSink {
 public:
  virtual ~TransitionSink() = default;
  virtual void add(std::size_t local_shard, std::span<const float> observation,
                   std::span<const float> action, float reward,
                   std::span<const float> next_observation, rl::Ending ending) = 0;
  /// The same for frames, of one of the shard's environments; next_frame is read only where the
  /// episode ended. A transition is drawn from the environment's next add_frame on.
  virtual void add_frame(std::size_t local_shard, std::size_t environment,
                         std::span<const std::uint8_t> frame, std::span<const float> action,
                         float reward, std::span<const std::uint8_t> next_frame,
                         rl::Ending ending) = 0;
};

class Memory : public TransitionSink {
 public:
  /// frame_size: bytes of an observation, each stored once; 0 for states, the spec's. Throws
  /// Code::kUsage when the transitions do not fit into this machine's memory.
  Memory(const Config& config, const env::Spec& spec, train::RunContext& context,
         std::size_t frame_size = 0);

  void add(std::size_t local_shard, std::span<const float> observation,
           std::span<const float> action, float reward, std::span<const float> next_observation,
           rl::Ending ending) override;
  void add_frame(std::size_t local_shard, std::size_t environment,
                 std::span<const std::uint8_t> frame, std::span<const float> action, float reward,
                 std::span<const std::uint8_t> next_frame, rl::Ending ending) override;
  /// Fills batch with rows transitions of each local shard; number counts the minibatches of a run.
  /// Prioritised: in proportion to priority, with the weights of Schaul et al. 2016, section 3.4,
  /// whose exponent has come progress (0 to 1) of its way from --per-beta to 1; collective then.
  void sample(Batch& batch, std::int64_t rows, std::uint64_t number, double progress);
  /// Prioritised: the transitions of the last sample() get the priorities of their errors, float32
  /// |q - y| in batch.error.
  void update_priorities(const Batch& batch);

  /// So many can be drawn from each shard at least, or could before they were overwritten: the same
  /// on every rank.
  std::uint64_t transitions_per_shard() const;
  /// Transitions of a shard that can be drawn now.
  std::uint64_t held(std::size_t local_shard) const;
  std::uint64_t capacity_per_shard() const { return capacity_; }
  /// Transitions per shard before the first update: the warm-up's, also after a resume without
  /// replay.
  std::uint64_t transitions_wanted(std::int64_t rows) const;
  /// Decisions of each environment that came in; of states at most those that a shard holds.
  std::uint64_t rounds_held() const;
  /// Newest transitions of a shard that cannot be drawn yet.
  std::uint64_t rows_waiting() const { return frames() ? n_step_.stride : 0; }
  void state(store::StateRegistry& registry);

 private:
  bool frames() const { return frame_size_ > 0; }
  std::size_t local_shards() const { return frames() ? frames_.size() : shards_.size(); }
  rl::TransitionRing& ring(std::size_t local_shard);
  const rl::TransitionRing& ring(std::size_t local_shard) const;
  void gather(const Batch& batch, std::size_t local_shard, std::size_t count,
              std::uint64_t number) const;
  void gather_frames(const rl::FrameBatch& batch, std::size_t local_shard,
                     std::span<const std::size_t> slots, std::uint64_t number) const;
  void storage_state(store::StateRegistry& registry);
  void draw(std::size_t local_shard, std::int64_t rows, std::uint64_t number);
  void weigh(Batch& batch, std::int64_t rows, double beta);

  const Config& config_;
  train::RunContext& context_;
  std::size_t observation_size_, action_size_, frame_size_;
  std::uint64_t capacity_;  ///< of a shard
  rl::NStep n_step_;
  std::vector<rl::ReplayShard> shards_;   ///< of states, or
  std::vector<rl::FrameShard> frames_;    ///< of frames; the other is empty
  std::vector<std::uint64_t> added_;      ///< per local shard: frames of transitions ever
  std::vector<rl::PriorityTree> trees_;   ///< empty unless prioritised
  std::vector<double> largest_priority_;  ///< per local shard: what new transitions get
  std::vector<std::size_t> slots_;        ///< of the last sample(), shard-major
};

}  // namespace tenfold::ddpg
