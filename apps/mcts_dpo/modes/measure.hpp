// --mode evaluate: how good a model is with one greedy solution, many samples, or search.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mcts_dpo/modes/collector.hpp"
#include "mcts_dpo/modes/searched_trees.hpp"
#include "mcts_dpo/modes/workshop.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

/// A step is a question, or one of its searches (--root-searches).
class Measurement final : public train::Experiment {
 public:
  explicit Measurement(const Config& config) : config_(config) {}

  void build(train::RunContext& context) override;
  void state(store::StateRegistry& registry) override;
  std::uint64_t step(train::RunContext& context) override;
  /// Nothing: the steps measure.
  void evaluate(train::RunContext&) override {}
  std::string summary(train::RunContext& context) override;
  std::uint64_t total_steps() const override { return records_->questions(); }
  std::uint64_t evaluate_every() const override { return 0; }
  std::string step_unit() const override {
    return config_.root_searches > 1 ? "searches" : "questions";
  }

 private:
  void begin(train::RunContext& context);
  void report(train::RunContext& context);
  void report_samples(std::span<const std::vector<Solution>> solutions, train::RunContext& context);
  void report_search(train::RunContext& context);
  void report_opinions(const std::vector<SearchedTree>& trees, train::RunContext& context);
  void count_work(train::RunContext& context);
  void keep_trees(const std::vector<SearchedTree>& trees, train::RunContext& context) const;

  const Config& config_;
  std::unique_ptr<Workshop> workshop_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<RoundRecords> records_;
  std::uint64_t questions_ = 0;
  bool restored_ = false, begun_ = false;
  std::int64_t counted_ = 0;  ///< tokens that this rank generated, as of the last count
  CollectorCounts work_;      ///< likewise
  std::string found_;
};

}  // namespace tenfold::mcts_dpo
