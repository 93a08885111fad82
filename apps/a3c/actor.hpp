// One actor-learner: its environments, and all that it carries from one rollout to the next.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "a3c/config.hpp"
#include "env/batch_env.hpp"
#include "store/state_registry.hpp"
#include "train/shard_plan.hpp"

namespace tenfold::a3c {

/// The environments of the run's task. Throws as env::make_env; Code::kUsage for a task without a
/// horizon.
std::unique_ptr<env::BatchEnv> make_envs(const Config& config, std::size_t rows);

/// Actors are the run's virtual shards: every stream of random numbers is keyed by the actor's
/// number and counted by its own decisions, so what an actor does with given parameters does not
/// depend on the rank that runs it.
class Actor {
 public:
  /// state_size: of the networks' LSTMs, per environment; statistics: floats of an optimizer of the
  /// actor's own, or 0.
  Actor(const Config& config, std::size_t number, std::uint32_t seed, std::int64_t state_size,
        std::int64_t statistics);
  /// Plays in these environments.
  Actor(const Config& config, std::size_t number, std::uint32_t seed, std::int64_t state_size,
        std::int64_t statistics, std::unique_ptr<env::BatchEnv> envs);

  std::size_t number() const { return number_; }
  std::size_t rows() const { return envs_->size(); }
  env::BatchEnv& envs() { return *envs_; }
  /// The rate that its exploration comes to (Mnih et al. 2016, section 5.1).
  double final_epsilon() const { return final_epsilon_; }
  /// Random numbers of one environment's present decision.
  base::Stream stream(std::size_t row) const;
  void begin_episode(std::size_t row);

  std::uint64_t decisions = 0;           ///< of each environment
  std::vector<double> returns, lengths;  ///< [E] of the running episodes
  std::vector<float> memory;             ///< [E, state_size] of the LSTMs
  /// Sarsa: the action that was drawn in the state that the last rollout ended in; -1: none.
  std::vector<std::int64_t> next_actions;
  at::Tensor statistics;  ///< float32 [P], or undefined

 private:
  friend class ActorGroup;
  void save_environments();
  /// Returns how many episodes could not be brought back and began anew.
  std::int64_t load_environments();

  std::size_t number_;
  std::uint32_t seed_;
  std::unique_ptr<env::BatchEnv> envs_;
  double final_epsilon_;
  std::vector<std::uint64_t> episodes_;    ///< [E] begun
  std::vector<double> environment_state_;  ///< [E, envs state size], filled for checkpoints
};

/// The actors of one rank.
class ActorGroup {
 public:
  ActorGroup(const Config& config, const train::ShardPlan& plan, std::uint32_t seed,
             std::int64_t state_size, std::int64_t statistics);
  std::size_t size() const { return actors_.size(); }
  Actor& operator[](std::size_t i) { return *actors_[i]; }
  void state(store::StateRegistry& registry);
  /// Episodes that the last load could not bring back; 0 the next time.
  std::int64_t take_lost();

 private:
  const train::ShardPlan& plan_;
  std::vector<std::unique_ptr<Actor>> actors_;
  /// Ranks without actors know the task too.
  std::unique_ptr<env::BatchEnv> only_example_;
  const env::BatchEnv* example_;
  std::int64_t state_size_, statistics_, lost_ = 0;
};

}  // namespace tenfold::a3c
