#include "ddpg/agent.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "ddpg/losses.hpp"
#include "kernels/flat_optimizer.hpp"

namespace tenfold::ddpg {

namespace {

at::Tensor initial_parameters(const nn::Network& net, const at::Tensor& buffers,
                              const train::RunContext& context, std::uint32_t index) {
  at::Tensor parameters = at::zeros({net.parameters().flat_size()}, buffers.options());
  net.initialize(parameters, buffers, context.seed, index);
  return parameters;
}

}  // namespace

Learner::Learner(std::unique_ptr<nn::Network> network, const std::string& the_name,
                 train::RunContext& context, std::uint32_t index)
    : name(the_name),
      net(std::move(network)),
      buffers(at::zeros({net->buffers().flat_size()},
                        at::TensorOptions().dtype(at::kFloat).device(context.device.device))),
      parameters(initial_parameters(*net, buffers, context, index)),
      target_parameters(parameters.clone()),
      target_buffers(buffers.clone()),
      adam(*context.reducer, context.shards, *context.metrics, net->parameters(), parameters, name,
           context.optimizer) {}

void Learner::follow(double tau) {
  kernels::polyak(target_parameters, parameters, tau);
  if (buffers.numel() > 0) kernels::polyak(target_buffers, buffers, tau);
}

void Learner::keep_statistics() {
  if (!adam.may_skip() || buffers.numel() == 0) return;
  if (!kept_buffers.defined()) kept_buffers = buffers.clone();
  kept_buffers.copy_(buffers);
}

double Learner::reduce() {
  const double norm = adam.reduce();
  if (buffers.numel() == 0) return norm;
  // A gradient may be finite where a running variance is not: batches are normalised in double.
  // With --nonfinite skip such an update counts, only the averages stay.
  const std::int64_t bad = kernels::first_nonfinite(buffers);
  if (kept_buffers.defined() && (adam.skipped() || bad >= 0)) {
    buffers.copy_(kept_buffers);
  } else if (bad >= 0) {
    throw comm::AgreedError(
        base::Error(base::Code::kNumeric,
                    fmt::format("the running averages of {} {} are not finite: a minibatch's "
                                "variance is beyond float32",
                                name, net->buffers().name_at(bad)),
                    "Look for huge observations; --nonfinite skip leaves such minibatches out of "
                    "the averages"),
        0, comm::host_name());
  }
  return norm;
}

void Learner::state(store::StateRegistry& registry) {
  train::register_flat(registry, "model/" + name, parameters, net->parameters());
  train::register_flat(registry, "model/" + name, buffers, net->buffers());
  train::register_flat(registry, "model/target_" + name, target_parameters, net->parameters());
  train::register_flat(registry, "model/target_" + name, target_buffers, net->buffers());
  adam.state(registry);
}

namespace {

Batch make_batch(std::int64_t groups, std::int64_t rows, const ObservationShape& observation,
                 std::int64_t action_size, bool prioritised) {
  const auto block = [&](std::int64_t width) {
    return at::zeros({groups, rows, width}, at::TensorOptions().dtype(at::kFloat));
  };
  const auto observations = [&] {
    if (!observation.pictures()) return block(observation.size);
    return at::zeros({groups, rows, observation.height, observation.width, observation.channels},
                     at::kByte);
  };
  return {observations(),
          block(action_size),
          block(1),
          observations(),
          block(1),
          prioritised ? block(1) : at::Tensor(),
          prioritised ? block(1) : at::Tensor()};
}

std::unique_ptr<nn::NetworkPass> make_pass(const Learner& learner, const train::RunContext& context,
                                           std::int64_t rows, nn::Gradients wanted) {
  return learner.net->make_pass(context.reducer->groups(), context.reducer->rows_per_group(rows),
                                context.device.device, wanted);
}

}  // namespace

Agent::Agent(const Config& config, const ObservationShape& observation, std::int64_t action_size,
             train::RunContext& context, std::int64_t rows, std::int64_t act_rows)
    : config_(config),
      context_(context),
      sum_(context.reducer->statistics_callback()),
      global_rows_(static_cast<double>(rows) * static_cast<double>(context.shards.shards)),
      actor_(make_actor(config, observation, action_size), "actor", context, 0),
      critic_(make_critic(config, observation, action_size), "critic", context, 1),
      batch_(make_batch(context.reducer->groups(), context.reducer->rows_per_group(rows),
                        observation, action_size, config.sampling == "prioritised")),
      sums_(at::zeros({context.reducer->groups(), 3}, at::kDouble)),
      total_sums_(at::zeros({3}, at::kDouble)),
      act_(make_pass(actor_, context, act_rows, nn::Gradients::kNone)),
      actor_pass_(make_pass(actor_, context, rows, nn::Gradients::kAll)),
      critic_pass_(make_pass(critic_, context, rows, nn::Gradients::kAll)),
      critic_of_actor_(make_pass(critic_, context, rows, nn::Gradients::kSecondInput)),
      target_actor_(make_pass(actor_, context, rows, nn::Gradients::kNone)),
      target_critic_(make_pass(critic_, context, rows, nn::Gradients::kNone)) {
  if (config.critic_l2 > 0) {
    const at::Tensor l2 = at::zeros(critic_.parameters.sizes(), critic_.parameters.options());
    critic_.net->fill_decay(l2, config.critic_l2);
    critic_.adam.set_decay(l2);
  }
}

const at::Tensor& Agent::act() {
  return act_->forward(actor_.parameters, actor_.buffers, nn::Mode::kEval);
}

void Agent::compute_targets() {
  const nn::Mode mode =
      config_.target_bn == "batch" ? nn::Mode::kTrainFrozenStatistics : nn::Mode::kEval;
  const bool own = config_.target_networks;
  target_actor_->input().copy_(batch_.next_observation);
  const at::Tensor& next_action = target_actor_->forward(
      own ? actor_.target_parameters : actor_.parameters,
      own ? actor_.target_buffers : actor_.buffers, mode, sum_, global_rows_);
  target_critic_->input().copy_(batch_.next_observation);
  target_critic_->second_input().copy_(next_action);
  const at::Tensor& q_next = target_critic_->forward(
      own ? critic_.target_parameters : critic_.parameters,
      own ? critic_.target_buffers : critic_.buffers, mode, sum_, global_rows_);
  critic_target(batch_.reward, batch_.discount, q_next, config_.reward_scale, q_next);
}

void Agent::critic_gradients(UpdateStatistics& statistics) {
  compute_targets();
  critic_pass_->input().copy_(batch_.observation);
  critic_pass_->second_input().copy_(batch_.action);
  critic_.keep_statistics();
  const at::Tensor& q = critic_pass_->forward(critic_.parameters, critic_.buffers, nn::Mode::kTrain,
                                              sum_, global_rows_);
  critic_error(q, target_critic_->output(), global_rows_, critic_pass_->output_gradient(), sums_,
               batch_.weight, batch_.error);
  critic_pass_->backward(critic_.parameters, critic_.adam.gradients(), false);
  statistics.critic_gradient_norm = critic_.reduce();
  context_.reducer->sum_statistics(sums_, total_sums_);
  const double* sums = total_sums_.data_ptr<double>();
  statistics.critic_loss = sums[0] / global_rows_;
  statistics.q_mean = sums[1] / global_rows_;
}

void Agent::actor_gradients(UpdateStatistics& statistics) {
  actor_pass_->input().copy_(batch_.observation);
  actor_.keep_statistics();
  const at::Tensor& action =
      actor_pass_->forward(actor_.parameters, actor_.buffers, nn::Mode::kTrain, sum_, global_rows_);
  critic_of_actor_->input().copy_(batch_.observation);
  critic_of_actor_->second_input().copy_(action);
  critic_of_actor_->forward(critic_.parameters, critic_.buffers, nn::Mode::kTrainFrozenStatistics,
                            sum_, global_rows_);
  actor_error(global_rows_, critic_of_actor_->output_gradient());
  critic_of_actor_->backward(critic_.parameters, at::Tensor(), true);

  const ActionReach reach = action_reach(action, actor_pass_->preactivation());
  statistics.saturation = reach.saturation;
  statistics.pretanh = reach.pretanh;

  actor_pass_->output_gradient().copy_(critic_of_actor_->second_input_gradient());
  const double actions = global_rows_ * static_cast<double>(action.size(2));
  actor_pass_->backward(actor_.parameters, actor_.adam.gradients(), false,
                        2 * config_.preactivation_penalty / actions);
  statistics.actor_gradient_norm = actor_.reduce();
}

UpdateStatistics Agent::update() {
  UpdateStatistics statistics;
  const bool with_actor = (updates() + 1) % config_.actor_every == 0;
  const bool simultaneous = config_.update_order == "simultaneous";
  critic_gradients(statistics);
  if (with_actor && simultaneous) actor_gradients(statistics);
  critic_.adam.step(config_.lr_critic);
  if (!with_actor) return statistics;
  if (!simultaneous) actor_gradients(statistics);
  actor_.adam.step(config_.lr_actor);
  actor_.follow(config_.tau);
  critic_.follow(config_.tau);
  return statistics;
}

void Agent::state(store::StateRegistry& registry) {
  actor_.state(registry);
  critic_.state(registry);
}

}  // namespace tenfold::ddpg
