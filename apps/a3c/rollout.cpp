#include "a3c/rollout.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "rl/policy_heads.hpp"

namespace tenfold::a3c {

using rl::After;

namespace {

float largest(std::span<const float> values) {
  return *std::max_element(values.begin(), values.end());
}

}  // namespace

RolloutWorker::RolloutWorker(const Config& config, const Networks& networks, const env::Spec& spec,
                             const at::Device& device)
    : config_(config),
      method_(method_of(config.method)),
      head_(networks.head()),
      rows_(static_cast<std::size_t>(config.envs_per_actor)),
      width_(spec.action_size),
      choices_(static_cast<std::size_t>(networks.actions())),
      recurrent_(networks.state_size() > 0),
      passes_(networks, config.t_max + 1, config.envs_per_actor, device, true),
      tail_(networks, 1, 1, device, false) {
  if (head_ == Head::kQ) {
    target_ =
        std::make_unique<Passes>(networks, config.t_max + 1, config.envs_per_actor, device, false);
  }
  const std::size_t size = static_cast<std::size_t>(config.t_max) * rows_;
  for (auto* each : {&rewards_, &bootstrap_, &values_, &advantages_, &returns_, &entropies_}) {
    each->assign(size, 0);
  }
  actions_.assign(size * width_, 0);
  probabilities_.assign(head_ == Head::kSoftmax ? size * choices_ : 0, 0);
  after_.assign(size, After::kNext);
  one_memory_.assign(static_cast<std::size_t>(networks.state_size()), 0);
}

void RolloutWorker::begin(Actor& actor, const Inputs& inputs) {
  base::require(actor.rows() == rows_ && inputs.parameters.defined(), "rollout: another shape");
  if (begun_) {
    passes_.clear_begins();
    if (target_) target_->clear_begins();
    begun_ = false;
  }
  passes_.parameters_changed();
  tail_.parameters_changed();
  if (target_) target_->parameters_changed();
  passes_.set_states(0, actor.memory);
  if (target_) target_->set_states(0, actor.memory);
}

// The networks see step t. The target network's memory starts from the learner's and goes on by
// itself; without one it is asked only where a target needs it.
void RolloutWorker::look(Actor& actor, std::int64_t t, const Inputs& inputs) {
  passes_.observe(t, actor.envs());
  passes_.forward(t, inputs.parameters);
  if (!target_) return;
  const bool one_step = method_ != Method::kNStepQ;
  if (!recurrent_ && !(one_step && t > 0)) return;
  target_->observe(t, actor.envs());
  target_->forward(t, inputs.target);
}

void RolloutWorker::choose(Actor& actor, std::int64_t t, double epsilon) {
  for (std::size_t row = 0; row < rows_; ++row) {
    base::Stream stream = actor.stream(row);
    const std::span<const float> outputs = passes_.outputs(t, row);
    const std::span<float> action(actions_.data() + at(t, row) * width_, width_);
    if (head_ == Head::kGaussian) {
      rl::SphericalGaussian::draw(outputs, stream, action);
    } else if (head_ == Head::kSoftmax) {
      const std::span<float> p(probabilities_.data() + at(t, row) * choices_, choices_);
      entropies_[at(t, row)] = static_cast<float>(rl::Categorical::probabilities(outputs, p));
      action[0] = static_cast<float>(rl::Categorical::draw(p, stream));
    } else {
      std::int64_t& drawn = actor.next_actions[row];
      if (drawn < 0) drawn = rl::epsilon_greedy(outputs, epsilon, stream);
      action[0] = static_cast<float>(drawn);
      drawn = -1;
    }
  }
}

float RolloutWorker::learning_reward(Actor& actor, std::size_t row) const {
  const float reward = actor.envs().rewards()[row];
  if (!std::isfinite(reward)) {
    throw base::Error(base::Code::kNumeric,
                      fmt::format("task {}: the reward of actor {}, environment {}, decision {} is "
                                  "{}",
                                  config_.task, actor.number(), row, actor.decisions, reward),
                      "The task is at fault: look at what it does there");
  }
  double value = reward;
  if (config_.reward_clip > 0) {
    value = std::clamp(value, -config_.reward_clip, config_.reward_clip);
  }
  return static_cast<float>(value * config_.reward_scale);
}

// What the state is worth in which a time limit cut the episode of this row after step t.
float RolloutWorker::value_of_last(Actor& actor, std::int64_t t, std::size_t row,
                                   const Inputs& inputs) {
  const auto see = [&](const Passes& from, const at::Tensor& parameters) {
    tail_.observe_row(0, actor.envs(), row);
    if (recurrent_) {
      from.get_row_state(t + 1, row, one_memory_);
      tail_.set_row_state(0, 0, one_memory_);
    }
    tail_.forward(0, parameters);
  };
  if (!target_) {
    see(passes_, inputs.parameters);
    return tail_.value(0, 0);
  }
  std::int64_t next = -1;
  if (method_ == Method::kOneStepSarsa) {
    see(passes_, inputs.parameters);
    base::Stream stream = actor.stream(row);
    next = rl::epsilon_greedy(tail_.outputs(0, 0), inputs.epsilon, stream);
  }
  see(*target_, inputs.target);
  const std::span<const float> q = tail_.outputs(0, 0);
  return next < 0 ? largest(q) : q[static_cast<std::size_t>(next)];
}

void RolloutWorker::record(Actor& actor, std::int64_t t, const Inputs& inputs, Tally& tally) {
  env::BatchEnv& envs = actor.envs();
  for (std::size_t row = 0; row < rows_; ++row) {
    const std::size_t here = at(t, row);
    rewards_[here] = learning_reward(actor, row);
    actor.returns[row] += envs.rewards()[row];
    actor.lengths[row] += 1;
    const bool ended = envs.terminal()[row] != 0, cut = envs.truncated()[row] != 0;
    const bool lost = !envs.life_lost().empty() && envs.life_lost()[row] != 0;
    after_[here] = ended || lost || (cut && config_.timeout_as_terminal) ? After::kEnd
                   : cut                                                 ? After::kCut
                                                                         : After::kNext;
    if (!ended && !cut) continue;
    if (after_[here] == After::kCut) bootstrap_[here] = value_of_last(actor, t, row, inputs);
    tally.episodes.push_back({actor.returns[row], actor.lengths[row]});
    actor.begin_episode(row);
    passes_.begin_row(t + 1, row);
    if (target_) target_->begin_row(t + 1, row);
    begun_ = true;
  }
}

// What the networks say of the states that the rollout leaves its environments in.
void RolloutWorker::follow_up(Actor& actor, std::int64_t count, const Inputs& inputs) {
  const auto last = after_.begin() + static_cast<std::ptrdiff_t>(at(count - 1, 0));
  const bool open = std::any_of(last, last + static_cast<std::ptrdiff_t>(rows_),
                                [](After each) { return each == After::kNext; });
  if (!open) return;
  if (method_ == Method::kActorCritic || method_ == Method::kOneStepSarsa) {
    passes_.observe(count, actor.envs());
    passes_.forward(count, inputs.parameters);
  }
  if (target_) {
    target_->observe(count, actor.envs());
    target_->forward(count, inputs.target);
  }
  for (std::size_t row = 0; row < rows_; ++row) {
    if (method_ == Method::kOneStepSarsa) {
      base::Stream stream = actor.stream(row);
      actor.next_actions[row] =
          rl::epsilon_greedy(passes_.outputs(count, row), inputs.epsilon, stream);
    }
    if (*(last + static_cast<std::ptrdiff_t>(row)) != After::kNext) continue;
    float& bootstrap = bootstrap_[at(count - 1, row)];
    if (method_ == Method::kActorCritic) bootstrap = passes_.value(count, row);
    if (method_ == Method::kNStepQ) bootstrap = largest(target_->outputs(count, row));
  }
}

void RolloutWorker::policy_gradients(std::int64_t count, Tally& tally) {
  const rl::RolloutFacts facts{
      static_cast<std::size_t>(count), rows_, rewards_, after_, bootstrap_, config_.gamma};
  for (std::int64_t t = 0; t < count; ++t) {
    for (std::size_t row = 0; row < rows_; ++row) values_[at(t, row)] = passes_.value(t, row);
  }
  rl::lambda_returns(facts, config_.gae_lambda, values_, advantages_, returns_);
  for (std::int64_t t = 0; t < count; ++t) {
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::size_t here = at(t, row);
      const rl::PolicyTarget target{advantages_[here], config_.entropy};
      const std::span<float> gradient = passes_.output_gradient(t, row);
      const std::span<const float> action(actions_.data() + here * width_, width_);
      if (head_ == Head::kSoftmax) {
        rl::Categorical::gradient({probabilities_.data() + here * choices_, choices_},
                                  entropies_[here], static_cast<std::int64_t>(action[0]), target,
                                  gradient);
      } else {
        const std::span<const float> outputs = passes_.outputs(t, row);
        rl::SphericalGaussian::gradient(outputs, action, target, gradient);
        entropies_[here] = static_cast<float>(
            rl::SphericalGaussian::entropy(width_, rl::SphericalGaussian::variance(outputs)));
      }
      const double error = static_cast<double>(values_[here]) - returns_[here];
      passes_.value_gradient(t, row) = static_cast<float>(2 * config_.value_coef * error);
      tally.squared_error += error * error;
      tally.values += values_[here];
      tally.entropy += entropies_[here];
    }
  }
}

// What the one-step methods bootstrap from after step t, which did not end the task.
float RolloutWorker::one_step_next(const Actor& actor, std::int64_t t, std::int64_t count,
                                   std::size_t row) const {
  if (after_[at(t, row)] == After::kCut) return bootstrap_[at(t, row)];
  const std::span<const float> q = target_->outputs(t + 1, row);
  if (method_ == Method::kOneStepQ) return largest(q);
  const std::int64_t taken =
      t + 1 < count ? static_cast<std::int64_t>(actions_[at(t + 1, row)]) : actor.next_actions[row];
  return q[static_cast<std::size_t>(taken)];
}

void RolloutWorker::value_gradients(const Actor& actor, std::int64_t count, Tally& tally) {
  if (method_ == Method::kNStepQ) {
    rl::n_step_returns(
        {static_cast<std::size_t>(count), rows_, rewards_, after_, bootstrap_, config_.gamma},
        returns_);
  }
  for (std::int64_t t = 0; t < count; ++t) {
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::size_t here = at(t, row);
      if (method_ != Method::kNStepQ) {
        const double next = after_[here] == After::kEnd ? 0 : one_step_next(actor, t, count, row);
        returns_[here] = static_cast<float>(rewards_[here] + config_.gamma * next);
      }
      const auto action = static_cast<std::size_t>(actions_[here]);
      const float q = passes_.outputs(t, row)[action];
      const double error = static_cast<double>(q) - returns_[here];
      const std::span<float> gradient = passes_.output_gradient(t, row);
      std::fill(gradient.begin(), gradient.end(), 0.0F);
      gradient[action] = static_cast<float>(2 * config_.value_coef * error);
      tally.squared_error += error * error;
      tally.values += q;
    }
  }
}

std::int64_t RolloutWorker::run(Actor& actor, const Inputs& inputs, const at::Tensor& gradient,
                                Tally& tally) {
  begin(actor, inputs);
  const std::uint64_t unstable = actor.envs().unstable_count();
  std::int64_t count = 0;
  for (bool over = false; count < config_.t_max && !over; ++count) {
    look(actor, count, inputs);
    choose(actor, count, inputs.epsilon);
    actor.envs().step({actions_.data() + at(count, 0) * width_, rows_ * width_});
    ++actor.decisions;
    record(actor, count, inputs, tally);
    over = rows_ == 1 && after_[at(count, 0)] != After::kNext;
  }
  follow_up(actor, count, inputs);
  if (target_) {
    value_gradients(actor, count, tally);
  } else {
    policy_gradients(count, tally);
  }
  passes_.backward(count, inputs.parameters, gradient);
  passes_.get_states(count, actor.memory);
  const std::int64_t decisions = count * static_cast<std::int64_t>(rows_);
  tally.decisions += static_cast<double>(decisions);
  tally.rollouts += 1;
  tally.unstable += static_cast<double>(actor.envs().unstable_count() - unstable);
  tally.epsilon += inputs.epsilon;
  return decisions;
}

}  // namespace tenfold::a3c
