// Measuring a policy: whole episodes with parameters that stand still.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "a3c/config.hpp"
#include "a3c/networks.hpp"
#include "train/experiment.hpp"

namespace tenfold::a3c {

struct EpisodeResult {
  double episode_return = 0, length = 0;
};

struct EvaluationResult {
  std::vector<EpisodeResult> episodes;  ///< by number, on every rank
  std::vector<double> facts;            ///< means of Evaluator::fact_names; NaN where none had any
};

/// Episode i belongs to actor i % V, and its start and draws to streams of its own, so the result
/// is the same on any number of ranks.
class Evaluator {
 public:
  Evaluator(const Config& config, const Networks& networks, train::RunContext& context);

  /// Collective. A softmax's or Gaussian's actions are drawn (Mnih et al. 2016, section 5.1), or
  /// with --eval-greedy the likeliest; Q's are epsilon-greedy. random: uniform over all actions.
  /// Errors of a task on one rank are agreed on.
  EvaluationResult run(const at::Tensor& parameters, std::uint64_t seed_step, bool random);
  const env::Spec& task() const { return envs_->spec(); }
  /// What the task tells of an episode beside its return.
  const std::vector<std::string>& fact_names() const { return fact_names_; }

 private:
  struct Sums;
  void play(std::size_t shard, const at::Tensor& parameters, std::uint64_t seed_step, bool random,
            Sums& sums);
  void act(std::size_t shard, std::uint64_t seed_step, std::int64_t t, bool random,
           std::vector<float>& actions);
  void note(std::size_t row, Sums& sums) const;
  std::uint32_t episode_of(std::size_t shard, std::size_t row) const;

  const Config& config_;
  train::RunContext& context_;
  Head head_;
  std::size_t per_shard_;
  std::unique_ptr<env::BatchEnv> envs_;  ///< per_shard_ of them, of one actor after the other
  Passes passes_;
  std::vector<std::string> fact_names_;
  std::vector<float> memory_;
};

}  // namespace tenfold::a3c
