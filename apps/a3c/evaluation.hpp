// Measuring a policy: whole episodes with parameters that stand still.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "a3c/config.hpp"
#include "a3c/networks.hpp"
#include "base/philox.hpp"
#include "train/experiment.hpp"

namespace tenfold::a3c {

struct EpisodeResult {
  double episode_return = 0, length = 0;
};

struct EvaluationResult {
  std::vector<EpisodeResult> episodes;  ///< by number, on every rank
  std::vector<double> facts;            ///< means of Evaluator::fact_names; NaN where none had any
};

/// An action of the policy that is measured: drawn from a softmax or Gaussian (Mnih et al. 2016,
/// section 5.1), or with --eval-greedy the likeliest; Q's are epsilon-greedy. outputs: of
/// Passes::outputs.
void policy_action(const Config& config, Head head, std::span<const float> outputs,
                   base::Stream& stream, std::span<float> action);
/// What policy_action draws from, t decisions into an episode of an evaluation (counted from 1).
base::Stream policy_stream(std::uint32_t seed, std::uint32_t episode, std::uint64_t evaluation,
                           std::int64_t t);

/// Episode i belongs to actor i % V, and its start and draws to streams of its own, so the result
/// is the same on any number of ranks.
class Evaluator {
 public:
  Evaluator(const Config& config, const Networks& networks, train::RunContext& context);

  /// Collective. Actions are those of policy_action; random: uniform over all actions.
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
