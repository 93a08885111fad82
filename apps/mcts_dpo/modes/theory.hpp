// --mode theory: theorems 3.1 and 3.2 of Xie et al. 2024 in miniature, without a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mcts_dpo/config.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

/// One step is the whole study: for each of --answers, --rounds iterations of a tabular policy
/// online and offline. Every rank computes the same.
class Theory final : public train::Experiment {
 public:
  explicit Theory(const Config& config) : config_(config) {}

  void build(train::RunContext& context) override;
  void state(store::StateRegistry& registry) override;
  std::uint64_t step(train::RunContext& context) override;
  /// Nothing: the step measures.
  void evaluate(train::RunContext&) override {}
  std::string summary(train::RunContext& context) override;
  std::uint64_t total_steps() const override { return static_cast<std::uint64_t>(config_.rounds); }
  std::uint64_t evaluate_every() const override { return 0; }
  std::string step_unit() const override { return "iterations"; }

 private:
  const Config& config_;
  std::vector<double> online_, offline_;  ///< pi(right answer) at the end [answers]
};

}  // namespace tenfold::mcts_dpo
