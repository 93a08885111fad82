// RolloutWorker::run of every method against PyTorch's autograd: a3c.json holds what make_a3c.py
// computed in float64 with losses and returns written down as the paper has them.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "a3c/rollout.hpp"
#include "support/scripted_env.hpp"

namespace tenfold::a3c {
namespace {

using Json = nlohmann::json;
using test::exact_number;
using test::ScriptedEnv;

// Of 1 + the norm of each tensor's gradient; the most that was seen is 3e-7.
constexpr double kTolerance = 2e-6;

const Json& golden() {
  static const Json json = [] {
    std::ifstream file(TENFOLD_SOURCE_DIR "/tests/golden/a3c.json");
    return Json::parse(file);
  }();
  return json;
}

Config config_of(const Json& json) {
  Config config;
  config.method = json.at("method");
  config.t_max = json.at("t_max");
  config.gamma = json.at("gamma");
  config.gae_lambda = json.at("gae_lambda");
  config.entropy = json.at("entropy");
  config.value_coef = json.at("value_coef");
  config.reward_scale = json.at("reward_scale");
  config.reward_clip = json.at("reward_clip");
  config.timeout_as_terminal = json.at("timeout_as_terminal");
  config.envs_per_actor = json.at("rows");
  config.lstm = json.at("lstm");
  config.net = {golden().at("hidden")};
  return config;
}

env::Spec spec_of(bool gaussian) {
  env::Spec spec;
  spec.name = "script";
  spec.observation_size = golden().at("observation");
  spec.choices = gaussian ? 0 : golden().at("choices").get<std::int64_t>();
  spec.action_size = gaussian ? golden().at("components").get<std::size_t>() : 1;
  spec.horizon = 100;
  return spec;
}

ScriptedEnv::Ends ends_of(const Json& json) {
  ScriptedEnv::Ends ends;
  for (const Json& each : json) {
    ends[{each.at(0), each.at(1)}] =
        each.at(2) == "end" ? ScriptedEnv::Kind::kEnd : ScriptedEnv::Kind::kCut;
  }
  return ends;
}

// One agent in its script.
class Scripted {
 public:
  Scripted(const Json& json, const std::string& engine)
      : json_(json), config_(config_of(json.at("config"))) {
    config_.engine = engine;
    const env::Spec spec = spec_of(json.at("config").at("gaussian"));
    networks_ = std::make_unique<Networks>(config_, spec);
    auto envs =
        std::make_unique<ScriptedEnv>(spec, json.at("config").at("rows"), ends_of(json.at("ends")));
    envs_ = envs.get();
    actor_ = std::make_unique<Actor>(config_, golden().at("actor"), golden().at("seed"),
                                     networks_->state_size(), 0, std::move(envs));
    worker_ = std::make_unique<RolloutWorker>(config_, *networks_, spec, at::kCPU);
    gradient_ = at::full({networks_->layout().flat_size()}, NAN, at::kFloat);
    EXPECT_EQ(json.at("tensors").size(), networks_->layout().entries().size());
  }

  void play(std::size_t r) {
    const Json& expected = json_.at("rollouts").at(r);
    const auto base = static_cast<std::uint32_t>(100 * (r + 1));
    const RolloutWorker::Inputs inputs{
        filled(base), networks_->head() == Head::kQ ? filled(base + 900) : at::Tensor(),
        json_.at("config").at("epsilon")};
    const std::size_t before = envs_->taken.size();
    EXPECT_EQ(worker_->run(*actor_, inputs, gradient_, tally_),
              expected.at("decisions").get<std::int64_t>());
    expect_actions(expected.at("actions"), before);
    for (const Json& each : expected.at("gradient")) expect_gradient(each);
    expect_memory(expected.at("memory"));
  }

 private:
  const nn::ParameterEntry& entry(const std::string& name) const {
    for (const nn::ParameterEntry& each : networks_->layout().entries()) {
      if (each.name == name) return each;
    }
    throw std::out_of_range("the agent has no " + name);
  }

  at::Tensor filled(std::uint32_t salt) const {
    at::Tensor flat = at::zeros({networks_->layout().flat_size()}, at::kFloat);
    const double scale = golden().at("scale");
    for (const Json& name : json_.at("tensors")) {
      const nn::ParameterEntry& each = entry(name);
      float* const to = flat.data_ptr<float>() + each.offset;
      for (std::int64_t i = 0; i < each.size; ++i) {
        to[i] = static_cast<float>(scale * exact_number(salt, static_cast<std::size_t>(i)));
      }
      ++salt;
    }
    return flat;
  }

  void expect_actions(const Json& expected, std::size_t from) const {
    ASSERT_EQ(envs_->taken.size(), from + expected.size());
    for (std::size_t t = 0; t < expected.size(); ++t) {
      std::vector<double> flat;
      for (const Json& row : expected.at(t)) {
        if (row.is_array()) {
          for (const Json& each : row) flat.push_back(each);
        } else {
          flat.push_back(row);
        }
      }
      const std::vector<float>& taken = envs_->taken[from + t];
      ASSERT_EQ(taken.size(), flat.size());
      for (std::size_t i = 0; i < flat.size(); ++i) EXPECT_NEAR(taken[i], flat[i], 2e-6);
    }
  }

  void expect_gradient(const Json& expected) const {
    const std::string name = expected.at("name");
    const nn::ParameterEntry& at = entry(name);
    const float* const values = gradient_.data_ptr<float>() + at.offset;
    double squares = 0, projection = 0;
    for (std::int64_t i = 0; i < at.size; ++i) {
      squares += static_cast<double>(values[i]) * values[i];
      projection += values[i] * exact_number(1, static_cast<std::size_t>(i));
    }
    const double norm = expected.at("norm"), near = kTolerance * (1 + norm);
    EXPECT_NEAR(std::sqrt(squares), norm, near) << name;
    EXPECT_NEAR(projection, expected.at("projection").get<double>(), near) << name;
    std::int64_t i = 0;
    for (const Json& probe : expected.at("probes")) {
      EXPECT_NEAR(values[i], probe.get<double>(), near) << name << " " << i;
      i += expected.at("stride").get<std::int64_t>();
    }
  }

  void expect_memory(const Json& expected) const {
    ASSERT_EQ(actor_->memory.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(actor_->memory[i], expected.at(i).get<double>(), 1e-6);
    }
  }

  const Json& json_;
  Config config_;
  std::unique_ptr<Networks> networks_;
  ScriptedEnv* envs_ = nullptr;
  std::unique_ptr<Actor> actor_;
  std::unique_ptr<RolloutWorker> worker_;
  at::Tensor gradient_;
  Tally tally_;
};

class A3cGolden : public testing::TestWithParam<const char*> {};

TEST_P(A3cGolden, RolloutsHavePyTorchsGradients) {
  ASSERT_GE(golden().at("cases").size(), 27U);
  for (const Json& json : golden().at("cases")) {
    SCOPED_TRACE(json.at("name").get<std::string>());
    Scripted agent(json, GetParam());
    for (std::size_t r = 0; r < json.at("rollouts").size(); ++r) {
      SCOPED_TRACE("rollout " + std::to_string(r));
      agent.play(r);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, A3cGolden, testing::Values("fused", "torch"));

}  // namespace
}  // namespace tenfold::a3c
