// Every rank acts and learns, in step: the same bits on any number of ranks.
#pragma once

#include "ddpg/rollout.hpp"
#include "ddpg/topology/topology.hpp"

namespace tenfold::ddpg {

class Symmetric : public Topology {
 public:
  Symmetric(const Config& config, train::RunContext& context);

  void state(store::StateRegistry& registry) override;
  /// One decision in every environment, then the updates that are due for them.
  std::uint64_t step(train::RunContext& context) override;
  Agent& agent() override { return agent_; }
  const Observer& observer() const override { return rollout_.observer(); }
  train::RunContext& evaluation() override { return context_; }

 private:
  const Config& config_;
  train::RunContext& context_;
  std::int64_t rows_;  ///< minibatch rows per shard
  Rollout rollout_;
  Agent agent_;
  double updates_due_ = 0;
};

}  // namespace tenfold::ddpg
