// Ranks that only act and ranks that only learn. Actors step environments with the parameters that
// they last heard of and send blocks of transitions; learners own the replay memory and update
// together. The limiter keeps both in step.
//
// Virtual shards are played by actors (s mod A) and stored by learners (s mod L); all random
// streams are those of the symmetric topology. With --ratio-band 0 the parameters of every action
// are those of the symmetric topology too, and so is every bit of the run.
#pragma once

#include <memory>

#include "ddpg/topology/acting_rank.hpp"
#include "ddpg/topology/learning_rank.hpp"
#include "ddpg/topology/topology.hpp"

namespace tenfold::ddpg {

class Actors : public Topology {
 public:
  Actors(const Config& config, train::RunContext& context);

  void state(store::StateRegistry& registry) override;
  /// --block decisions in every environment.
  std::uint64_t step(train::RunContext& context) override;
  /// The learners' parameters to all ranks.
  void settle() override;
  Agent& agent() override { return *agent_; }
  const Observer& observer() const override { return rollout_->observer(); }
  train::RunContext& evaluation() override { return evaluation_; }

 private:
  /// A part of the run with shards and reductions of its own.
  struct Part {
    Part(const train::RunContext& whole, const comm::Communicator& ranks, train::ShardPlan plan);
    train::GradientReducer reducer;
    train::RunContext context;
  };
  class Way : public TransitionSink {  // the outbox comes into being with the first step
   public:
    void add(std::size_t local_shard, std::span<const float> observation,
             std::span<const float> action, float reward, std::span<const float> next_observation,
             rl::Ending ending) override {
      outbox->add(local_shard, observation, action, reward, next_observation, ending);
    }
    void add_frame(std::size_t local_shard, std::size_t environment,
                   std::span<const std::uint8_t> frame, std::span<const float> action, float reward,
                   std::span<const std::uint8_t> next_frame, rl::Ending ending) override {
      outbox->add_frame(local_shard, environment, frame, action, reward, next_frame, ending);
    }
    std::unique_ptr<Outbox> outbox;
  };
  void begin(std::uint64_t round);
  void begin_learning(const comm::Communicator& all, const BlockShape& shape);
  void begin_acting(const comm::Communicator& all, const BlockShape& shape, std::uint64_t round);

  const Config& config_;
  Config acting_config_;  ///< with this actor's noise
  train::RunContext& context_;
  train::RunContext learning_;
  Part acting_;
  Part evaluating_;
  train::RunContext& evaluation_;
  bool learner_;
  std::int64_t rows_;  ///< minibatch rows per shard
  Limiter limiter_;
  WarmUp warm_up_;
  std::unique_ptr<comm::Communicator> all_;
  Way way_;
  std::unique_ptr<Rollout> rollout_;  ///< without environments on learners
  std::unique_ptr<Memory> memory_;    ///< without shards on actors
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<NewsSender> sender_;
  std::unique_ptr<NewsReceiver> receiver_;
  std::unique_ptr<LearningRank> learning_rank_;
  std::unique_ptr<ActingRank> acting_rank_;
};

}  // namespace tenfold::ddpg
