// Names and descriptions of what all modes measure.
#pragma once

#include <cstdint>
#include <string>

#include "mcts_dpo/evaluation.hpp"
#include "mcts_dpo/learning/policy_learner.hpp"
#include "train/metrics.hpp"

namespace tenfold::mcts_dpo {

void declare_evaluation_metrics(train::Metrics& metrics);
/// What the symbolic checker of each rank counts; it outlives the metrics.
void declare_checker_metrics(train::Metrics& metrics, const SymbolicChecker& checker);
void declare_learning_metrics(train::Metrics& metrics, bool preferences);
void record(train::Metrics& metrics, std::uint64_t step, const Accuracy& found);

/// Means over the updates of a round.
class UpdateMeans {
 public:
  void add(const UpdateReport& report);
  /// Writes them as rows and forgets them. Nothing where nothing was added.
  void publish(train::Metrics& metrics, std::uint64_t step, double lr, bool preferences);
  const UpdateReport& sums() const { return sums_; }

 private:
  UpdateReport sums_;
  std::int64_t count_ = 0;
};

}  // namespace tenfold::mcts_dpo
