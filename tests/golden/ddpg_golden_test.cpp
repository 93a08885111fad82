// Agent::update, several times over, against PyTorch's autograd and torch.optim.Adam: ddpg.json
// holds what make_ddpg.py computed in float64 on the whole minibatch, which is spread over ranks
// here.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "ddpg/agent.hpp"
#include "support/exact_numbers.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

using Json = nlohmann::json;
using test::exact_number;
using train::ReduceMode;

// Measured: 6e-7, where a last layer of magnitude 4 has float steps of 5e-7.
constexpr double kTolerance = 2e-6;

const Json& golden() {
  static const Json json = [] {
    std::ifstream file(TENFOLD_SOURCE_DIR "/tests/golden/ddpg.json");
    return Json::parse(file);
  }();
  return json;
}

Config config_of(const Json& json) {
  Config config;
  config.actor_net = json.at("actor_net").get<std::vector<std::int64_t>>();
  config.critic_net = json.at("critic_net").get<std::vector<std::int64_t>>();
  config.action_layer = json.at("action_layer");
  config.batch_norm = json.at("batch_norm");
  config.target_bn = json.at("target_bn");
  config.bn_momentum = json.at("bn_momentum");
  config.lr_actor = json.at("lr_actor");
  config.lr_critic = json.at("lr_critic");
  config.critic_l2 = json.at("critic_l2");
  config.gamma = json.at("gamma");
  config.tau = json.at("tau");
  config.reward_scale = json.at("reward_scale");
  config.update_order = json.at("update_order");
  config.target_networks = json.at("target_networks");
  config.conv_filters = json.at("conv_filters").get<std::vector<std::int64_t>>();
  config.actor_every = json.value("actor_every", 1);
  return config;
}

struct Values {
  float* data = nullptr;
  std::size_t size = 0;
};

// The agent's state under the names of its checkpoints.
std::map<std::string, Values> state_of(Agent& agent) {
  store::StateRegistry registry;
  agent.state(registry);
  std::map<std::string, Values> state;
  for (const store::StateField& field : registry.fields()) {
    if (field.dtype != store::Dtype::kFloat32) continue;
    std::size_t size = 1;
    for (const std::uint64_t extent : field.shape) size *= extent;
    state[field.name] = {static_cast<float*>(field.data(0)), size};
  }
  return state;
}

void set_start(const std::map<std::string, Values>& state, const Json& rules) {
  std::size_t set = 0;
  for (const Json& rule : rules) {
    const Values values = state.at(rule.at("name"));
    const double scale = rule.at("scale");
    const double offset = rule.at("offset");
    for (std::size_t i = 0; i < values.size; ++i) {
      values.data[i] = static_cast<float>(offset + scale * exact_number(rule.at("salt"), i));
    }
    ++set;
  }
  std::size_t expected = 0;
  for (const auto& [name, values] : state) expected += name.starts_with("model/") ? 1 : 0;
  EXPECT_EQ(set, expected) << "the file starts other tensors than the agent has";
}

// Rows of shard s are rows s * rows ... of the whole minibatch.
void fill(const at::Tensor& block, const train::ShardPlan& plan, std::uint32_t salt, double scale,
          double offset) {
  const std::size_t per_shard =
      golden().at("rows").get<std::size_t>() * static_cast<std::size_t>(block.size(2));
  float* out = block.data_ptr<float>();
  for (const std::size_t shard : plan.mine) {
    for (std::size_t i = 0; i < per_shard; ++i) {
      *out++ = static_cast<float>(offset + scale * exact_number(salt, shard * per_shard + i));
    }
  }
}

// Bytes: draws from [0, 256), rounded down.
void fill_pictures(const at::Tensor& block, const train::ShardPlan& plan, std::uint32_t salt) {
  const auto size = static_cast<std::size_t>(block.numel()) / plan.mine.size();
  auto* out = block.data_ptr<std::uint8_t>();
  for (const std::size_t shard : plan.mine) {
    for (std::size_t i = 0; i < size; ++i) {
      *out++ = static_cast<std::uint8_t>(128 + 128 * exact_number(salt, shard * size + i));
    }
  }
}

void fill_observations(const at::Tensor& block, const train::ShardPlan& plan, std::uint32_t salt) {
  if (block.scalar_type() == at::kByte) return fill_pictures(block, plan, salt);
  fill(block, plan, salt, 2.0, 0.5);
}

void fill_minibatch(Batch& batch, const train::ShardPlan& plan, std::size_t update, double gamma) {
  const auto salt = static_cast<std::uint32_t>(2000 + 10 * update);
  fill_observations(batch.observation, plan, salt);
  fill(batch.action, plan, salt + 1, 1.0, 0.0);
  fill(batch.reward, plan, salt + 2, 1.0, 0.5);
  fill_observations(batch.next_observation, plan, salt + 3);
  fill(batch.discount, plan, salt + 4, 1.0, 0.0);
  float* discount = batch.discount.data_ptr<float>();
  for (std::int64_t i = 0; i < batch.discount.numel(); ++i) {
    discount[i] = discount[i] > 0.5F ? 0.0F : static_cast<float>(gamma);  // terminal
  }
}

void expect_statistics(const UpdateStatistics& ours, const Json& theirs,
                       const comm::Communicator& world) {
  const auto near = [&](double value, const char* name) {
    const double expected = theirs.at(name);
    EXPECT_NEAR(value, expected, kTolerance * (1 + std::abs(expected))) << name;
  };
  near(ours.critic_loss, "critic_loss");
  near(ours.q_mean, "q_mean");
  near(ours.critic_gradient_norm, "critic_gradient_norm");
  if (!theirs.contains("actor_gradient_norm")) {
    EXPECT_TRUE(std::isnan(ours.actor_gradient_norm) && std::isnan(ours.saturation));
    return;
  }
  near(ours.actor_gradient_norm, "actor_gradient_norm");
  // A rank's own; all ranks hold equally many rows.
  near(world.all_reduce(ours.saturation, comm::Op::kSum) / world.size(), "saturation");
}

// The batch norm behind the first layer takes out any shift of its input, so the gradient of
// input_norm.bias is 0. Here as in float64 it comes out as rounding, but Adam makes full steps of
// the one (1e-8) and none of the other (1e-17): the test checks that it is rounding and takes it
// out.
void undo_steps_of_rounding(const std::map<std::string, Values>& state, const Json& json,
                            std::size_t updates) {
  const double left = std::pow(1.0 - json.at("config").at("tau").get<double>(), updates);
  std::map<std::string, Json> rules;
  for (const Json& rule : json.at("start")) rules[rule.at("name")] = rule;
  const auto start = [&](const std::string& name, std::size_t i) {
    const Json& rule = rules.at(name);
    return rule.at("offset").get<double>() +
           rule.at("scale").get<double>() * exact_number(rule.at("salt"), i);
  };
  for (const std::string learner : {"actor", "critic"}) {
    const std::string own = "model/" + learner + "/input_norm.bias";
    const std::string target = "model/target_" + learner + "/input_norm.bias";
    const Values m = state.at("optimizer/" + learner + "/m/input_norm.bias");
    const Values v = state.at("optimizer/" + learner + "/v/input_norm.bias");
    for (std::size_t i = 0; i < m.size; ++i) {
      EXPECT_LT(std::abs(m.data[i]), 1e-7) << learner;
      m.data[i] = v.data[i] = 0;
      const double value = start(own, i);
      state.at(own).data[i] = static_cast<float>(value);
      state.at(target).data[i] = static_cast<float>(value + left * (start(target, i) - value));
    }
  }
}

void expect_end(const std::map<std::string, Values>& state, const Json& end) {
  std::size_t found = 0;
  for (const Json& expected : end) {
    const std::string name = expected.at("name");
    const Values values = state.at(name);
    const std::size_t stride = expected.at("stride");
    std::size_t i = 0;
    for (const Json& probe : expected.at("probes")) {
      ASSERT_LT(i, values.size) << name;
      EXPECT_NEAR(values.data[i], probe.get<double>(), kTolerance) << name << "[" << i << "]";
      i += stride;
    }
    EXPECT_GE(i, values.size) << name;
    double projection = 0;
    for (std::size_t k = 0; k < values.size; ++k) projection += values.data[k] * exact_number(1, k);
    EXPECT_NEAR(projection, expected.at("projection").get<double>(),
                kTolerance * std::sqrt(static_cast<double>(values.size)))
        << name;
    ++found;
  }
  EXPECT_EQ(found, state.size()) << "the file ends other tensors than the agent has";
}

ObservationShape shape_of(const Config& config) {
  if (config.conv_filters.empty()) return {golden().at("observation").get<std::int64_t>()};
  const auto sides = golden().at("picture").get<std::vector<std::int64_t>>();
  return {sides[0], sides[1], sides[2]};
}

class DdpgGolden : public testing::TestWithParam<ReduceMode> {};

TEST_P(DdpgGolden, UpdatesFollowAutogradAndTorchsAdam) {
  const comm::Communicator world = comm::Communicator::world();
  ASSERT_EQ(golden().at("cases").size(), 8U);
  for (const Json& json : golden().at("cases")) {
    SCOPED_TRACE(json.at("name").get<std::string>());
    const Config config = config_of(json.at("config"));
    test::TrainingWorld training(world, golden().at("shards"), GetParam());
    Agent agent(config, shape_of(config), golden().at("action"), training.context(),
                golden().at("rows"), 1);
    const auto state = state_of(agent);
    set_start(state, json.at("start"));
    std::size_t update = 0;
    for (const Json& expected : json.at("statistics")) {
      SCOPED_TRACE(testing::Message() << "update " << update);
      fill_minibatch(agent.batch(), training.plan(), update++, config.gamma);
      expect_statistics(agent.update(), expected, world);
      // Not behind convolutions, whose borders a shift does not reach.
      if (config.batch_norm == "paper" && config.conv_filters.empty())
        undo_steps_of_rounding(state, json, update);
    }
    EXPECT_EQ(agent.updates(), static_cast<std::int64_t>(update));
    expect_end(state, json.at("end"));
  }
}

std::string mode_name(const testing::TestParamInfo<ReduceMode>& each) {
  if (each.param == ReduceMode::kFast) return "fast";
  return each.param == ReduceMode::kOrdered ? "ordered" : "fixed";
}

INSTANTIATE_TEST_SUITE_P(Reduce, DdpgGolden,
                         testing::Values(ReduceMode::kFast, ReduceMode::kOrdered,
                                         ReduceMode::kFixed),
                         mode_name);

}  // namespace
}  // namespace tenfold::ddpg
