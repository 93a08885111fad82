// Each head's outputs lie where losses look for them: the gradient of a sum over all of them
// against central differences.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "a3c/actor.hpp"
#include "a3c/networks.hpp"
#include "support/exact_numbers.hpp"

namespace tenfold::a3c {
namespace {

constexpr std::int64_t kSteps = 3;
constexpr std::size_t kRows = 3;

struct Case {
  const char *method, *task, *engine, *conv;
  std::int64_t lstm;
};

class AgentNetworks : public testing::TestWithParam<Case> {
 protected:
  AgentNetworks() {
    config_.method = GetParam().method;
    config_.task = GetParam().task;
    config_.engine = GetParam().engine;
    config_.conv = GetParam().conv;
    config_.lstm = GetParam().lstm;
    config_.net = {9};
    envs_ = make_envs(config_, kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
      base::Stream stream(1, base::Purpose::kTest, static_cast<std::uint32_t>(row), 0);
      envs_->reset(row, stream);
    }
    networks_ = std::make_unique<Networks>(config_, envs_->spec());
    passes_ = std::make_unique<Passes>(*networks_, kSteps, kRows, at::kCPU, true);
    parameters_ = networks_->initial_parameters(5);
    memory_.resize(kRows * static_cast<std::size_t>(networks_->state_size()));
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      memory_[i] = static_cast<float>(test::exact_number(7, i));
    }
  }

  bool has_value() const { return networks_->head() != Head::kQ; }

  // Numbers that weigh output i of a row, and its value.
  static double weight(std::int64_t t, std::size_t row, std::size_t i) {
    return test::exact_number(9, (static_cast<std::size_t>(t) * kRows + row) * 32 + i);
  }

  void look(const at::Tensor& parameters) {
    passes_->set_states(0, memory_);
    passes_->begin_row(2, 1);  // another episode of the second row
    for (std::int64_t t = 0; t < kSteps; ++t) {
      passes_->observe(t, *envs_);
      if (t == 2) passes_->begin_row(2, 1);
      passes_->forward(t, parameters);
    }
  }

  double loss(const at::Tensor& parameters) {
    look(parameters);
    double sum = 0;
    for (std::int64_t t = 0; t < kSteps; ++t) {
      for (std::size_t row = 0; row < kRows; ++row) {
        const auto outputs = passes_->outputs(t, row);
        for (std::size_t i = 0; i < outputs.size(); ++i) sum += weight(t, row, i) * outputs[i];
        if (has_value()) sum += weight(t, row, 31) * passes_->value(t, row);
      }
    }
    return sum;
  }

  at::Tensor gradient() {
    look(parameters_);
    for (std::int64_t t = 0; t < kSteps; ++t) {
      for (std::size_t row = 0; row < kRows; ++row) {
        const auto to = passes_->output_gradient(t, row);
        for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(weight(t, row, i));
        if (has_value()) passes_->value_gradient(t, row) = static_cast<float>(weight(t, row, 31));
      }
    }
    at::Tensor out = at::full({parameters_.numel()}, NAN, at::kFloat);
    passes_->backward(kSteps, parameters_, out);
    return out;
  }

  Config config_;
  std::unique_ptr<env::BatchEnv> envs_;
  std::unique_ptr<Networks> networks_;
  std::unique_ptr<Passes> passes_;
  at::Tensor parameters_;
  std::vector<float> memory_;
};

TEST_P(AgentNetworks, GradientsAreThoseOfTheirOutputs) {
  const env::Spec& spec = envs_->spec();
  const auto outputs = passes_->outputs(0, 0).size();
  if (spec.choices > 0) {
    EXPECT_EQ(outputs, static_cast<std::size_t>(spec.choices));
  } else {
    EXPECT_EQ(outputs, spec.action_size + 1);
  }
  const at::Tensor exact = gradient();
  const float* const g = exact.data_ptr<float>();
  constexpr double kStep = 2e-3;
  for (std::uint32_t direction = 0; direction < 3; ++direction) {
    at::Tensor ahead = parameters_.clone(), behind = parameters_.clone();
    double expected = 0;
    for (const nn::ParameterEntry& each : networks_->layout().entries()) {
      for (std::int64_t i = each.offset; i < each.offset + each.size; ++i) {
        const double along = test::exact_number(20 + direction, static_cast<std::size_t>(i));
        ahead.data_ptr<float>()[i] += static_cast<float>(kStep * along);
        behind.data_ptr<float>()[i] -= static_cast<float>(kStep * along);
        expected += g[i] * along;
      }
    }
    const double found = (loss(ahead) - loss(behind)) / (2 * kStep);
    EXPECT_NEAR(found, expected, 0.01 * (1 + std::abs(expected)));
  }
  for (std::int64_t i = 0; i < exact.numel(); ++i) {
    if (networks_->layout().name_at(i) == "padding") {
      EXPECT_EQ(g[i], 0);
    }
  }
}

TEST_P(AgentNetworks, ARowAloneSeesTheSame) {
  look(parameters_);
  Passes alone(*networks_, 1, 1, at::kCPU, false);
  const auto width = static_cast<std::size_t>(networks_->state_size());
  std::vector<float> state(width);
  for (std::size_t row = 0; row < kRows; ++row) {
    passes_->get_row_state(1, row, state);
    alone.observe_row(0, *envs_, row);
    if (width > 0) alone.set_row_state(0, 0, state);
    alone.forward(0, parameters_);
    const auto expected = passes_->outputs(1, row), found = alone.outputs(0, 0);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-5 * (1 + std::abs(expected[i])));
    }
    if (has_value()) {
      EXPECT_NEAR(alone.value(0, 0), passes_->value(1, row), 1e-5);
    }
  }
}

TEST(AgentNetworksOfTwo, TheGaussiansValueSharesNothingWithItsPolicy) {
  Config config;
  config.task = "classic_pendulum";
  config.net = {4};
  config.lstm = 3;
  const Networks networks(config, make_envs(config, 1)->spec());
  EXPECT_EQ(networks.head(), Head::kGaussian);
  EXPECT_EQ(networks.state_size(), 2 * 2 * 3);
  std::size_t policy = 0, value = 0;
  for (const nn::ParameterEntry& each : networks.layout().entries()) {
    policy += each.name.starts_with("policy/") ? 1 : 0;
    value += each.name.starts_with("value/") ? 1 : 0;
  }
  EXPECT_EQ(policy, value);
  EXPECT_EQ(policy + value, networks.layout().entries().size());
}

INSTANTIATE_TEST_SUITE_P(Heads, AgentNetworks,
                         testing::Values(Case{"q", "classic_cartpole", "fused", "none", 0},
                                         Case{"a3c", "classic_cartpole", "fused", "none", 0},
                                         Case{"a3c", "classic_pendulum", "fused", "none", 0},
                                         Case{"nstep-q", "tmaze", "fused", "none", 5},
                                         Case{"a3c", "tmaze", "fused", "none", 5},
                                         Case{"a3c", "classic_pendulum", "fused", "none", 5},
                                         Case{"a3c", "breakout", "fused", "grid", 4},
                                         Case{"a3c", "classic_pendulum", "torch", "none", 5},
                                         Case{"q", "breakout", "torch", "grid", 0}));

}  // namespace
}  // namespace tenfold::a3c
