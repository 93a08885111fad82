// Hogwild: the ranks of one node share parameters, Adam's moments and targets; each steps its own
// environments, draws minibatches from its own memory and applies its gradients without locks.
//
// A minibatch is --batch transitions as elsewhere, all from the shards of one rank; n ranks make
// 1/n of the updates each. One rank alone has the bits of the symmetric topology.
#pragma once

#include <memory>

#include "comm/shared_arena.hpp"
#include "ddpg/rollout.hpp"
#include "ddpg/topology/topology.hpp"
#include "train/shared_tensors.hpp"

namespace tenfold::ddpg {

/// A Learner whose parameters, statistics and targets are copies of shared ones.
class SharedLearner {
 public:
  static std::vector<comm::ArenaPart> parts(const Learner& learner);
  SharedLearner(const comm::SharedArena& arena, Learner& learner);
  ~SharedLearner();
  SharedLearner(const SharedLearner&) = delete;
  SharedLearner& operator=(const SharedLearner&) = delete;

  /// Before an update: what is there now.
  void get();
  /// After it: targets follow, statistics move.
  void updated(double tau);
  std::int64_t steps() const { return adam_.steps(); }
  /// Everything, optimizer too; while no rank updates.
  void get_all();
  void set_all();

 private:
  Learner& learner_;
  train::SharedAdam adam_;
  train::SharedCopy buffers_, target_parameters_, target_buffers_;
};

class Async : public Topology {
 public:
  Async(const Config& config, train::RunContext& context);

  void state(store::StateRegistry& registry) override;
  /// --block decisions in every environment; all ranks meet after them.
  std::uint64_t step(train::RunContext& context) override;
  Agent& agent() override { return agent_; }
  const Observer& observer() const override { return rollout_.observer(); }
  train::RunContext& evaluation() override { return context_; }

 private:
  void begin();
  void act_and_learn(std::uint64_t step);
  void update(double progress);

  const Config& config_;
  train::RunContext& context_;
  train::RunContext acting_;  ///< this rank's shards, this rank alone
  train::GradientReducer reducer_;
  train::RunContext learning_;  ///< the same with its shards counted as all there are
  std::int64_t rows_;           ///< minibatch rows per shard of this rank
  std::int64_t rows_of_all_;    ///< if they came from all: updates begin when symmetric's do
  Rollout rollout_;
  Agent agent_;
  double updates_due_ = 0;  ///< by all ranks together
  std::unique_ptr<comm::Communicator> all_;
  std::unique_ptr<comm::SharedArena> arena_;
  std::unique_ptr<SharedLearner> actor_, critic_;
};

}  // namespace tenfold::ddpg
