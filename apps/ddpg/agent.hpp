// Actor, critic, their targets and optimisers: one DDPG update over all virtual shards.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "ddpg/config.hpp"
#include "ddpg/networks.hpp"
#include "nn/network.hpp"
#include "store/state_registry.hpp"
#include "train/experiment.hpp"
#include "train/flat_adam.hpp"

namespace tenfold::ddpg {

/// One minibatch of this rank, float32: rows of group g are shard rows in order. [G, B, width].
/// Pictures are uint8, observation and next_observation [G, B, height, width, channels].
struct Batch {
  at::Tensor observation, action, reward, next_observation, discount;
  at::Tensor weight, error;  ///< prioritised replay only: in, and q - y out
};

struct UpdateStatistics {
  double critic_loss = 0;  ///< mean squared error over the whole batch
  double q_mean = 0;
  double critic_gradient_norm = 0;
  // NaN where mu is not updated (--actor-every):
  double actor_gradient_norm = std::numeric_limits<double>::quiet_NaN();
  /// Fraction of this rank's actions of mu beyond 0.99 in absolute value.
  double saturation = std::numeric_limits<double>::quiet_NaN();
  /// Mean magnitude of what mu's tanh saw, this rank's rows.
  double pretanh = std::numeric_limits<double>::quiet_NaN();
};

/// A network with everything that learning it needs; all flat float32 tensors.
struct Learner {
  Learner(std::unique_ptr<nn::Network> net, const std::string& name, train::RunContext& context,
          std::uint32_t index);
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;
  void state(store::StateRegistry& registry);
  void follow(double tau);  ///< targets move towards the parameters and running statistics
  /// Before a training pass, which moves the running statistics; reduce() then sums the gradients
  /// and, when it leaves the update out, puts the statistics back: they would stay NaN.
  void keep_statistics();
  double reduce();

  std::string name;
  std::unique_ptr<nn::Network> net;
  at::Tensor buffers, parameters, target_parameters, target_buffers;
  train::FlatAdam adam;
  at::Tensor kept_buffers;  ///< only where updates may be left out
};

class Agent {
 public:
  /// rows: minibatch rows per shard; act_rows: environments per shard.
  Agent(const Config& config, const ObservationShape& observation, std::int64_t action_size,
        train::RunContext& context, std::int64_t rows, std::int64_t act_rows);

  /// Where to put the next minibatch.
  Batch& batch() { return batch_; }
  /// Algorithm 1's update on batch(): critic, actor, targets. Collective.
  UpdateStatistics update();

  /// mu(s) without noise, running averages; act_input(), [G, act rows, ...], is filled by the
  /// caller.
  const at::Tensor& act_input() const { return act_->input(); }
  const at::Tensor& act();

  const nn::Network& actor_net() const { return *actor_.net; }
  const nn::Network& critic_net() const { return *critic_.net; }
  const at::Tensor& actor_parameters() const { return actor_.parameters; }
  const at::Tensor& actor_buffers() const { return actor_.buffers; }
  const at::Tensor& critic_parameters() const { return critic_.parameters; }
  /// Bytes of both optimizers' state on this rank.
  std::int64_t optimizer_bytes() const {
    return actor_.adam.state_bytes() + critic_.adam.state_bytes();
  }
  const at::Tensor& critic_buffers() const { return critic_.buffers; }
  std::int64_t updates() const { return critic_.adam.steps(); }
  /// Both networks, for what shares them between ranks.
  Learner& actor() { return actor_; }
  Learner& critic() { return critic_; }
  void state(store::StateRegistry& registry);

 private:
  void compute_targets();
  void critic_gradients(UpdateStatistics& statistics);
  void actor_gradients(UpdateStatistics& statistics);

  const Config& config_;
  train::RunContext& context_;
  nn::SumOverShards sum_;
  double global_rows_;
  Learner actor_, critic_;
  Batch batch_;
  at::Tensor sums_, total_sums_;
  std::unique_ptr<nn::NetworkPass> act_, actor_pass_, critic_pass_, critic_of_actor_, target_actor_,
      target_critic_;
};

}  // namespace tenfold::ddpg
