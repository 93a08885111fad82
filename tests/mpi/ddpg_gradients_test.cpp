// Both gradients of an update against finite differences of the objectives, computed in double by a
// naive network over the minibatch of all ranks.
#include <gtest/gtest.h>

#include <functional>

#include "ddpg/agent.hpp"
#include "support/exact_numbers.hpp"
#include "support/naive_mlp.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

using test::naive_mlp;
using test::NamedValues;
using test::Rows;

constexpr std::int64_t kObservation = 3, kAction = 2, kShards = 4, kRows = 4;

struct Case {
  std::string name, batch_norm, engine;
  double penalty;
};

Config small(const Case& variant) {
  Config config;
  config.actor_net = {9, 7};
  config.critic_net = {8, 6};
  config.action_layer = 2;
  config.batch_norm = variant.batch_norm;
  config.engine = variant.engine;
  config.preactivation_penalty = variant.penalty;
  config.target_bn = "batch";  // what naive_mlp computes
  config.final_init = 0;       // or the actor's gradient would be tiny
  config.update_order = "simultaneous";
  config.gamma = 0.9;
  config.reward_scale = 0.5;
  return config;
}

// The whole minibatch, and what this rank holds of it.
struct Minibatch {
  Minibatch()
      : observation(rows(1, kObservation)),
        action(rows(2, kAction)),
        reward(rows(3, 1)),
        next(rows(4, kObservation)),
        discount(rows(5, 1)) {
    for (auto& row : discount) row[0] = row[0] > 0.5 ? 0 : 0.9;
  }
  static Rows rows(std::uint32_t salt, std::int64_t width) {
    Rows result(kShards * kRows, std::vector<double>(static_cast<std::size_t>(width)));
    std::size_t i = 0;
    for (auto& row : result) {
      for (double& value : row) value = test::exact_number(salt, i++);
    }
    return result;
  }
  static void copy(const Rows& all, const train::ShardPlan& plan, const at::Tensor& block) {
    float* out = block.data_ptr<float>();
    for (const std::size_t shard : plan.mine) {
      for (std::size_t r = shard * kRows; r < (shard + 1) * kRows; ++r) {
        for (const double value : all[r]) *out++ = static_cast<float>(value);
      }
    }
  }
  void copy_to(Batch& batch, const train::ShardPlan& plan) const {
    copy(observation, plan, batch.observation);
    copy(action, plan, batch.action);
    copy(reward, plan, batch.reward);
    copy(next, plan, batch.next_observation);
    copy(discount, plan, batch.discount);
  }
  Rows observation, action, reward, next, discount;
};

// Entries "prefix/name" of the state, as doubles by name.
NamedValues named(const std::map<std::string, std::string>& state, const std::string& prefix) {
  NamedValues result;
  for (const auto& [key, bytes] : state) {
    if (!key.starts_with(prefix) || key.ends_with("step")) continue;
    const auto values = test::values_of<float>(state, key);
    result[key.substr(prefix.size())] = {values.begin(), values.end()};
  }
  return result;
}

// Adam's first moment after one step is a tenth of the gradient.
void expect_slopes(const NamedValues& moments, NamedValues parameters,
                   const std::function<double(const NamedValues&)>& loss) {
  double largest = 0;
  for (const auto& [name, moment] : moments) {
    for (std::size_t i = 0; i < moment.size(); ++i) {
      double& value = parameters.at(name)[i];
      const double kept = value;
      const double h = 1e-6;
      value = kept + h;
      const double above = loss(parameters);
      value = kept - h;
      const double slope = (above - loss(parameters)) / (2 * h);
      value = kept;
      EXPECT_NEAR(10 * moment[i], slope, 1e-6) << name << "[" << i << "]";
      largest = std::max(largest, std::abs(slope));
    }
  }
  EXPECT_GT(largest, 1e-2) << "the test compares zeros";
}

class DdpgGradients : public testing::TestWithParam<Case> {};

TEST_P(DdpgGradients, AreTheSlopesOfTheObjectives) {
  const comm::Communicator world = comm::Communicator::world();
  const Config config = small(GetParam());
  test::TrainingWorld training(world, kShards);
  Agent agent(config, kObservation, kAction, training.context(), kRows, 1);
  store::StateRegistry registry;
  agent.state(registry);
  const auto before = test::state_bytes(registry, {});
  const Minibatch batch;
  batch.copy_to(agent.batch(), training.plan());
  agent.update();
  const auto after = test::state_bytes(registry, {});

  const nn::MlpSpec actor = actor_spec(config, kObservation, kAction);
  const nn::MlpSpec critic = critic_spec(config, kObservation, kAction);
  const NamedValues mu = named(before, "model/actor/");
  const NamedValues q = named(before, "model/critic/");
  expect_slopes(named(after, "optimizer/actor/m/"), mu, [&](const NamedValues& p) {
    const Rows actions = naive_mlp(actor, p, batch.observation);
    double loss = 0;
    for (const auto& row : naive_mlp(critic, q, batch.observation, actions)) loss -= row[0];
    nn::MlpSpec before_tanh = actor;
    before_tanh.output_activation = kernels::Activation::kIdentity;
    for (const auto& row : naive_mlp(before_tanh, p, batch.observation)) {
      for (const double z : row) loss += config.preactivation_penalty * z * z / kAction;
    }
    return loss / (kShards * kRows);
  });

  const Rows following =
      naive_mlp(critic, named(before, "model/target_critic/"), batch.next,
                naive_mlp(actor, named(before, "model/target_actor/"), batch.next));
  expect_slopes(named(after, "optimizer/critic/m/"), q, [&](const NamedValues& p) {
    const Rows values = naive_mlp(critic, p, batch.observation, batch.action);
    double loss = 0;
    for (std::size_t r = 0; r < values.size(); ++r) {
      const double y = 0.5 * batch.reward[r][0] + batch.discount[r][0] * following[r][0];
      loss += (values[r][0] - y) * (values[r][0] - y);
    }
    return loss / (kShards * kRows);
  });
}

INSTANTIATE_TEST_SUITE_P(Variants, DdpgGradients,
                         testing::Values(Case{"none_fused", "none", "fused", 0},
                                         Case{"paper_fused", "paper", "fused", 0},
                                         Case{"penalised_fused", "paper", "fused", 0.3},
                                         Case{"none_torch", "none", "torch", 0},
                                         Case{"paper_torch", "paper", "torch", 0},
                                         Case{"penalised_torch", "paper", "torch", 0.3}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace tenfold::ddpg
