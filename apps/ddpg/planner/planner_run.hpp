// ddpg --planner: a planner plays instead of a policy that learns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ddpg/config.hpp"
#include "ddpg/planner/planner.hpp"
#include "ddpg/planner/scores.hpp"
#include "env/batch_env.hpp"
#include "train/experiment.hpp"

namespace tenfold::ddpg {

PlannerOptions planner_options(const Config& config, const env::Spec& spec);

/// Plays config.eval_episodes episodes side by side, one decision of each per step, and random
/// actions beside them. Episode i belongs to shard i % V, starts from a stream of its own and has
/// its own plan: the same on any number of ranks. Can be stopped and resumed like training.
class PlannerRun : public train::Experiment {
 public:
  explicit PlannerRun(const Config& config) : config_(config) {}

  void build(train::RunContext& context) override;
  void state(store::StateRegistry& registry) override;
  std::uint64_t step(train::RunContext& context) override;
  /// At the end only: metrics.
  void evaluate(train::RunContext& context) override;
  /// Also writes the entry in --planner-record. Throws Code::kIo or Code::kData.
  std::string summary(train::RunContext& context) override;
  std::uint64_t total_steps() const override;
  std::uint64_t evaluate_every() const override { return 0; }
  std::string step_unit() const override { return "decisions"; }

 private:
  struct Played {
    std::vector<double> returns, lengths, cpu_seconds, random_returns;  ///< by episode number
  };
  std::size_t episode_of(std::size_t row, std::size_t per_shard) const;
  void begin();
  void play_randomly();
  void decide(std::size_t row, std::uint64_t t);
  void store_rewards();
  void start(std::size_t row);
  Played gather() const;
  PlannerScore score(const Played& played) const;
  void record(const Played& played) const;

  const Config& config_;
  train::RunContext* context_ = nullptr;
  std::size_t per_shard_ = 0, rows_ = 0, random_per_shard_ = 0;
  std::unique_ptr<env::BatchEnv> envs_;
  std::unique_ptr<Planner> planner_;
  std::vector<float> actions_;
  std::vector<double> memory_, env_state_, returns_, lengths_, cpu_seconds_, random_returns_;
  std::vector<std::uint8_t> live_;
};

}  // namespace tenfold::ddpg
