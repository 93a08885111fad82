// DDPG as the library runs it.
#pragma once

#include <memory>
#include <string>

#include "ddpg/config.hpp"
#include "ddpg/diagnosis.hpp"
#include "ddpg/evaluation.hpp"
#include "ddpg/planner/scores.hpp"
#include "ddpg/topology/topology.hpp"
#include "train/experiment.hpp"

namespace tenfold::ddpg {

class Experiment : public train::Experiment {
 public:
  explicit Experiment(const Config& config) : config_(config) {}

  void build(train::RunContext& context) override;
  void state(store::StateRegistry& registry) override;
  /// As the topology says.
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
  void look_up_reference(const train::RunContext& context);
  void diagnose(train::RunContext& context, const CalibrationFit& fit);

  const Config& config_;
  std::unique_ptr<Topology> topology_;
  std::unique_ptr<Evaluator> evaluator_;
  Reference reference_;  ///< rank 0's
  double random_return_ = 0, last_return_ = 0, best_return_ = 0;
  std::uint64_t evaluations_ = 0;
  Diagnosis diagnosis_;
};

}  // namespace tenfold::ddpg
