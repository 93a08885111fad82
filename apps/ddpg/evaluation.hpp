// Measuring a policy: episodes without noise, and how well Q knew what they would return.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ddpg/agent.hpp"
#include "ddpg/config.hpp"
#include "ddpg/observer.hpp"
#include "train/experiment.hpp"

namespace tenfold::ddpg {

struct EpisodeResult {
  double episode_return = 0;
  double length = 0;
};
/// Q's estimate in a state that the policy met, and the discounted return that followed.
struct Calibration {
  double estimated = 0;
  double returned = 0;
};
struct EvaluationResult {
  std::vector<EpisodeResult> episodes;   ///< all of them, on every rank, by episode number
  std::vector<Calibration> calibration;  ///< likewise
};

/// Plays episodes that are spread over virtual shards: episode i belongs to shard i % V and starts
/// from a stream of its own, so the result is the same on any number of ranks.
class Evaluator {
 public:
  Evaluator(const Config& config, const Agent& agent, train::RunContext& context);
  /// Collective. Uniform random actions when random; else mu without noise.
  EvaluationResult run(const Agent& agent, std::uint64_t seed_step, bool random);

 private:
  bool live(std::size_t row) const { return live_[row] != 0; }
  void play(const Agent& agent, std::uint64_t seed_step, bool random);
  void begin(std::uint64_t seed_step);
  void act(const Agent& agent, std::uint64_t seed_step, std::int64_t t, bool random);
  void estimate(const Agent& agent, std::int64_t t);
  void advance(std::int64_t t);
  std::size_t episode_of(std::size_t row) const;

  const Config& config_;
  train::RunContext& context_;
  std::size_t per_shard_, rows_, marks_;
  std::int64_t mark_every_;
  Observer observer_;
  env::BatchEnv& envs_;
  std::unique_ptr<nn::NetworkPass> actor_, critic_;
  std::vector<float> actions_;
  std::vector<std::uint8_t> live_;
  std::vector<double> returns_, lengths_, estimates_, rewards_;
};

}  // namespace tenfold::ddpg
