// Acting: the environments, noise and replay memory of this rank's virtual shards.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ddpg/agent.hpp"
#include "ddpg/config.hpp"
#include "ddpg/memory.hpp"
#include "ddpg/observer.hpp"
#include "rl/noise.hpp"
#include "store/state_registry.hpp"
#include "train/experiment.hpp"

namespace tenfold::ddpg {

class Rollout {
 public:
  /// Plays the shards of context. Transitions go to sink, or to a memory of its own without one.
  Rollout(const Config& config, train::RunContext& context, TransitionSink* sink = nullptr);

  const env::Spec& spec() const { return observer_.spec(); }
  const Observer& observer() const { return observer_; }
  /// Decisions over all ranks in one step().
  std::uint64_t decisions() const { return decisions_; }
  /// One decision in every environment: random before start_steps, mu plus noise after; stores the
  /// transitions, starts new episodes. Collective where the task may raise, else without
  /// communication.
  void step(Agent& agent, std::uint64_t global_step);
  Memory& memory() { return *memory_; }  ///< only without a sink
  void state(store::StateRegistry& registry);

 private:
  void start_episode(std::size_t row);
  void remember(std::size_t row, rl::Ending ending);
  void advance();
  void load_episodes();
  void report_lost_episodes(std::uint64_t global_step);
  void choose_actions(Agent& agent, std::uint64_t global_step);
  std::uint32_t stream_index(std::size_t row) const;

  const Config& config_;
  train::RunContext& context_;
  std::size_t rows_;  ///< environments of this rank: local shards x envs_per_shard, shard-major
  std::size_t per_shard_;
  std::uint64_t decisions_;
  Observer observer_;
  rl::ExplorationNoise noise_;
  std::unique_ptr<Memory> memory_;  ///< none where there is a sink
  TransitionSink& sink_;
  at::Tensor observations_;  ///< what the next actions answer, like Observer::seen()
  std::vector<float> actions_;
  std::vector<std::uint64_t> episodes_;  ///< episodes begun, per row
  std::vector<double> returns_, lengths_, env_state_;
  bool loaded_ = false;    ///< since the last step
  std::int64_t lost_ = 0;  ///< episodes of this rank that the load could not bring back
};

}  // namespace tenfold::ddpg
