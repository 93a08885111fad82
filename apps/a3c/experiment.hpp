// The four asynchronous methods as the library runs them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "a3c/config.hpp"
#include "a3c/evaluation.hpp"
#include "a3c/human_scores.hpp"
#include "a3c/learning/learning.hpp"
#include "train/experiment.hpp"

namespace tenfold::a3c {

class Experiment : public train::Experiment {
 public:
  explicit Experiment(const Config& config) : config_(config) {}

  void build(train::RunContext& context) override;
  void state(store::StateRegistry& registry) override;
  std::uint64_t step(train::RunContext& context) override;
  void evaluate(train::RunContext& context) override;
  std::string summary(train::RunContext& context) override;
  std::uint64_t total_steps() const override {
    return static_cast<std::uint64_t>(config_.total_steps);
  }
  std::uint64_t evaluate_every() const override {
    return static_cast<std::uint64_t>(config_.eval_every);
  }
  std::string step_unit() const override { return "decisions"; }

 private:
  Config config_;  ///< with the learning rate that was drawn
  std::unique_ptr<Learning> learning_;
  std::unique_ptr<Evaluator> evaluator_;
  std::optional<ReferenceScores> human_;  ///< of an Atari game that they are known of
  double random_return_ = 0, last_return_ = 0, best_return_ = 0;
  std::uint64_t evaluations_ = 0;
  bool begun_ = false;
};

}  // namespace tenfold::a3c
