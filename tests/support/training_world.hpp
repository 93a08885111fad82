// What the library gives an experiment, without a run directory, for tests of training code.
#pragma once

#include <utility>

#include "train/experiment.hpp"

namespace tenfold::test {

class TrainingWorld {
 public:
  TrainingWorld(const comm::Communicator& communicator, std::int64_t shards,
                train::ReduceMode mode = train::ReduceMode::kOrdered, std::uint32_t seed = 1)
      : plan_(train::make_shard_plan(shards, communicator.size(), communicator.rank())),
        reducer_(communicator, plan_, mode),
        metrics_(communicator),
        context_{communicator, plan_, seed, {}, &reducer_, &metrics_, 0} {}
  TrainingWorld(const TrainingWorld&) = delete;
  TrainingWorld& operator=(const TrainingWorld&) = delete;

  train::RunContext& context() { return context_; }
  const train::RunContext& context() const { return context_; }
  const train::ShardPlan& plan() const { return plan_; }
  train::Metrics& metrics() { return metrics_; }

 private:
  train::ShardPlan plan_;
  train::GradientReducer reducer_;
  train::Metrics metrics_;
  train::RunContext context_;
};

}  // namespace tenfold::test
