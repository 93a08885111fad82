// --mode sft: supervised fine-tuning on solutions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mcts_dpo/modes/learning_metrics.hpp"
#include "mcts_dpo/modes/workshop.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

/// A step is an update. Every epoch has its own order; batches hold sequences of about one length.
class SupervisedFineTuning final : public train::Experiment {
 public:
  explicit SupervisedFineTuning(const Config& config) : config_(config) {}

  void build(train::RunContext& context) override;
  void state(store::StateRegistry& registry) override;
  std::uint64_t step(train::RunContext& context) override;
  void rehearse(train::RunContext& context) override;
  std::string rehearsed(train::RunContext& context, double peak) override;
  void evaluate(train::RunContext& context) override;
  std::string summary(train::RunContext& context) override;
  std::uint64_t total_steps() const override {
    return static_cast<std::uint64_t>(config_.sft_steps);
  }
  std::uint64_t evaluate_every() const override {
    return static_cast<std::uint64_t>(config_.eval_every);
  }
  std::string step_unit() const override { return "updates"; }

 private:
  std::size_t collect_examples(std::uint32_t seed);
  std::vector<Imitation> batch_of(std::uint64_t step);
  void order_epoch(std::uint64_t epoch);

  const Config& config_;
  std::unique_ptr<Workshop> workshop_;
  std::unique_ptr<PolicyLearner> learner_;
  std::vector<Imitation> examples_;
  std::vector<std::size_t> order_;        ///< of the epoch at work, batch after batch
  std::vector<std::size_t> batch_order_;  ///< in which order its batches come
  std::uint64_t epoch_ = UINT64_MAX;
  std::uint32_t seed_ = 0;
  double first_accuracy_ = 0, last_accuracy_ = 0;
  std::uint64_t evaluated_ = 0;
};

}  // namespace tenfold::mcts_dpo
