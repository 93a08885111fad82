// What a pass of a rollout keeps, promises and refuses.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/lstm_cell.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <string>

#include "base/error.hpp"
#include "counted_new.hpp"
#include "support/filled_rollout.hpp"

namespace tenfold::nn {
namespace {

using test::apart;
using test::FilledRollout;

constexpr RolloutEngine kEngines[] = {RolloutEngine::kFused, RolloutEngine::kTorch};

RolloutSpec small(std::int64_t lstm) {
  RolloutSpec spec;
  spec.input = 6;
  spec.hidden = {40};
  spec.output = 5;
  spec.lstm = lstm;
  return spec;
}

RolloutSpec small_pictures(std::int64_t lstm) {
  RolloutSpec spec = small(lstm);
  spec.input = 0;
  spec.conv = RolloutConv{9, 9, 2, true, {{6, 3, 2, 1}, {4, 3, 1, 1}}};
  return spec;
}

template <class T>
std::vector<std::remove_const_t<T>> copy_of(std::span<T> values) {
  return {values.begin(), values.end()};
}

at::Tensor tensor_of(std::span<const float> values, std::int64_t rows) {
  const at::Tensor copy =
      at::empty({rows, static_cast<std::int64_t>(values.size()) / rows}, at::kFloat);
  std::ranges::copy(values, copy.data_ptr<float>());
  return copy;
}

// Oracle: LibTorch's own cell, its gates in the same order, unrolled over five steps.
TEST(RolloutState, AnLstmIsLibTorchsUnrolled) {
  constexpr std::int64_t kSteps = 5, kRows = 2, kCells = 24;
  RolloutSpec spec = small(kCells);
  spec.hidden = {};
  for (const RolloutEngine engine : kEngines) {
    FilledRollout rollout(spec, engine, kSteps, kRows);
    rollout.run(kSteps);
    const auto& entries = rollout.net->parameters().entries();
    std::vector<at::Tensor> leaves;
    for (const ParameterEntry& e : entries) {
      leaves.push_back(rollout.parameters.narrow(0, e.offset, e.size)
                           .view(e.shape)
                           .detach()
                           .clone()
                           .requires_grad_(true));
    }
    ASSERT_EQ(entries[0].name, "lstm.weight");
    const at::Tensor weights = leaves[0].t();
    at::Tensor h = tensor_of(rollout.pass->state(0), kRows).narrow(1, 0, kCells);
    at::Tensor c = tensor_of(rollout.pass->state(0), kRows).narrow(1, kCells, kCells);
    std::vector<at::Tensor> outputs, slopes;
    for (std::int64_t t = 0; t < kSteps; ++t) {
      std::tie(h, c) = at::lstm_cell(
          tensor_of(rollout.pass->input(t), kRows), {h, c}, weights.narrow(1, 0, spec.input),
          weights.narrow(1, spec.input, kCells), leaves[1], at::zeros({4 * kCells}, at::kFloat));
      outputs.push_back(h.matmul(leaves[2]) + leaves[3]);
      slopes.push_back(tensor_of(rollout.pass->output_gradient(t), kRows));
      const at::Tensor expected = outputs.back().detach().contiguous();
      EXPECT_LE(apart(rollout.pass->output(t),
                      std::span<const float>(expected.data_ptr<float>(),
                                             static_cast<std::size_t>(expected.numel()))),
                1e-6);
    }
    const auto gradients = torch::autograd::grad(outputs, leaves, slopes);
    for (std::size_t e = 0; e < entries.size(); ++e) {
      const at::Tensor found =
          rollout.gradient.narrow(0, entries[e].offset, entries[e].size).view(entries[e].shape);
      const double largest = gradients[e].abs().max().item<double>();
      EXPECT_LE((found - gradients[e]).abs().max().item<double>(), 1e-5 * largest)
          << entries[e].name;
    }
  }
}

TEST(RolloutState, IsCarriedOverAndStartsAnewFromZero) {
  for (const RolloutEngine engine : kEngines) {
    FilledRollout whole(small(7), engine, 6, 2);
    whole.begin(3, 1);
    whole.forward(6);
    // The second half as a rollout of its own, from the state that the first one left.
    FilledRollout half(small(7), engine, 3, 2);
    for (std::int64_t t = 0; t < 3; ++t) {
      std::ranges::copy(whole.pass->input(t + 3), half.pass->input(t).begin());
    }
    std::ranges::copy(whole.pass->state(3), half.pass->state(0).begin());
    half.forward(3);
    EXPECT_EQ(copy_of(half.pass->output(2)), copy_of(whole.pass->output(5)));
    EXPECT_EQ(copy_of(half.pass->state(3)), copy_of(whole.pass->state(6)));
    // And its second row does not know what came before.
    std::ranges::fill(half.row_of(half.pass->state(0), 0), 0.25F);
    std::ranges::fill(half.row_of(half.pass->state(0), 1), 0.0F);
    half.forward(3);
    EXPECT_EQ(copy_of(half.row_of(half.pass->output(2), 1)),
              copy_of(whole.row_of(whole.pass->output(5), 1)));
    EXPECT_NE(copy_of(half.row_of(half.pass->output(2), 0)),
              copy_of(whole.row_of(whole.pass->output(5), 0)));
  }
}

TEST(RolloutState, RowsOfTheFusedEngineDoNotDependOnTheirNumber) {
  for (const RolloutSpec& spec : {small(0), small(9), small_pictures(5)}) {
    FilledRollout many(spec, RolloutEngine::kFused, 3, 12, 0.4);
    many.begin(1, 4);
    many.forward(3);
    for (std::int64_t e = 0; e < 12; ++e) {
      FilledRollout one(spec, RolloutEngine::kFused, 3, 1);
      for (std::int64_t t = 0; t < 3; ++t) {
        std::ranges::copy(many.row_of(many.pass->input(t), e), one.pass->input(t).begin());
        std::ranges::copy(many.row_of(many.pass->frames(t), e), one.pass->frames(t).begin());
        one.pass->begins(t)[0] = many.pass->begins(t)[static_cast<std::size_t>(e)];
      }
      std::ranges::copy(many.row_of(many.pass->state(0), e), one.pass->state(0).begin());
      one.forward(3);
      for (std::int64_t t = 0; t < 3; ++t) {
        EXPECT_EQ(copy_of(one.pass->output(t)), copy_of(many.row_of(many.pass->output(t), e)));
      }
    }
  }
}

TEST(RolloutState, GradientsAreOverwrittenAndTheirPaddingIsZero) {
  for (const RolloutEngine engine : kEngines) {
    for (const RolloutSpec& spec : {small(0), small_pictures(5)}) {
      FilledRollout rollout(spec, engine, 4, 2);
      rollout.run(4);
      const at::Tensor first = rollout.gradient.clone();
      rollout.gradient.fill_(NAN);
      rollout.run(4);
      EXPECT_TRUE(at::equal(rollout.gradient, first));
      std::int64_t padding = 0;
      for (std::int64_t i = 0; i < first.numel(); ++i) {
        if (rollout.net->parameters().name_at(i) != "padding") continue;
        EXPECT_EQ(first.data_ptr<float>()[i], 0.0F);
        ++padding;
      }
      EXPECT_GT(padding, 0);
    }
  }
}

// The step that a rollout bootstraps from, a step run twice, and steps of a longer rollout before.
TEST(RolloutState, OnlyTheStepsThatCountMatter) {
  for (const RolloutEngine engine : kEngines) {
    for (const RolloutSpec& spec : {small(0), small_pictures(5)}) {
      FilledRollout longer(spec, engine, 5, 2), exact(spec, engine, 3, 2);
      longer.run(5);
      longer.gradient.fill_(NAN);
      longer.forward(3);
      longer.pass->forward(3, longer.parameters);
      longer.pass->forward(1, longer.parameters);
      longer.pass->forward(2, longer.parameters);
      longer.pass->backward(3, longer.parameters, longer.gradient);
      for (std::int64_t t = 0; t < 3; ++t) {
        std::ranges::copy(longer.pass->input(t), exact.pass->input(t).begin());
        std::ranges::copy(longer.pass->frames(t), exact.pass->frames(t).begin());
        std::ranges::copy(longer.pass->output_gradient(t), exact.pass->output_gradient(t).begin());
      }
      std::ranges::copy(longer.pass->state(0), exact.pass->state(0).begin());
      exact.run(3);
      EXPECT_TRUE(at::equal(longer.gradient, exact.gradient));
    }
  }
}

TEST(RolloutState, TheFusedEngineAllocatesNothing) {
  for (const RolloutSpec& spec : {small(0), small(9), small_pictures(5)}) {
    test::allocations = 0;
    FilledRollout rollout(spec, RolloutEngine::kFused, 5, 2);
    EXPECT_GT(test::allocations, 0U) << "the counter works";
    test::allocations = 0;
    for (std::int64_t t = 0; t < 5; ++t) rollout.pass->forward(t, rollout.parameters);
    rollout.pass->backward(5, rollout.parameters, rollout.gradient);
    EXPECT_EQ(test::allocations, 0U);
  }
}

TEST(RolloutState, BothEnginesStartFromTheSameNumbersUnderTheSameNames) {
  FilledRollout fused(small_pictures(5), RolloutEngine::kFused, 1, 1);
  const FilledRollout torch(small_pictures(5), RolloutEngine::kTorch, 1, 1);
  EXPECT_TRUE(at::equal(fused.parameters, torch.parameters));
  std::string names;
  for (const ParameterEntry& e : fused.net->parameters().entries()) names += e.name + " ";
  EXPECT_EQ(names,
            "conv0.weight conv0.bias conv1.weight conv1.bias layer0.weight layer0.bias "
            "lstm.weight lstm.bias output.weight output.bias ");
  // Uniform in +-1/sqrt(fan_in): 5 x 5 x 4 maps below layer0.
  const test::Numbers weights = fused.named(fused.parameters).at("layer0.weight");
  const auto [low, high] = std::ranges::minmax(weights);
  EXPECT_GE(low, -0.1);
  EXPECT_LE(high, 0.1);
  EXPECT_LT(low, -0.09);
  EXPECT_GT(high, 0.09);
  EXPECT_EQ(weights.size(), 4000U);
}

// Start values with a bias less those without are a network of forget gates alone: a cell is left
// with sigma(bias) of what it held.
TEST(RolloutState, AForgetBiasKeepsCells) {
  constexpr std::int64_t kCells = 9;
  RolloutSpec spec = small(kCells);
  const FilledRollout without(spec, RolloutEngine::kFused, 1, 1);
  spec.forget_bias = 2;
  for (const RolloutEngine engine : kEngines) {
    FilledRollout gates(spec, engine, 1, 1);
    gates.parameters.sub_(without.parameters);
    const std::vector<float> before = copy_of(gates.pass->state(0));
    gates.pass->forward(0, gates.parameters);
    for (std::size_t cell = kCells; cell < 2 * kCells; ++cell) {
      EXPECT_NEAR(gates.pass->state(1)[cell], before[cell] / (1 + std::exp(-2.0)), 1e-6);
    }
    for (const float output : gates.pass->output(0)) EXPECT_EQ(output, 0.0F);
  }
}

TEST(RolloutState, PassesRefuseWhatTheyWereNotMadeFor) {
  for (const RolloutEngine engine : kEngines) {
    FilledRollout rollout(small(0), engine, 2, 1);
    const auto acting = rollout.net->make_pass(2, 1, at::kCPU, false);
    acting->forward(0, rollout.parameters);
    EXPECT_THROW(acting->backward(1, rollout.parameters, rollout.gradient), base::Error);
    EXPECT_THROW(acting->output_gradient(0), base::Error);
    EXPECT_THROW(rollout.pass->input(2), base::Error);
    EXPECT_THROW(rollout.pass->backward(3, rollout.parameters, rollout.gradient), base::Error);
    EXPECT_TRUE(rollout.pass->frames(0).empty());
    EXPECT_TRUE(rollout.pass->state(0).empty());
    EXPECT_THROW(rollout.net->make_pass(2, 1, at::Device(at::kMeta)), base::Error);
  }
}

void expect_refused(const std::string& text, const RolloutSpec& spec) {
  try {
    make_rollout_network(spec, RolloutEngine::kFused);
    ADD_FAILURE() << text;
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

RolloutSpec pictures_through(std::vector<RolloutConv::Layer> layers, std::int64_t channels = 2) {
  RolloutSpec spec = small(0);
  spec.conv = RolloutConv{9, 9, channels, true, std::move(layers)};
  return spec;
}

TEST(RolloutState, SpecsThatMakeNoNetworkAreRefusedByName) {
  RolloutSpec no_input = small(0), no_output = small(0), no_units = small(0);
  no_input.input = 0;
  no_output.output = 0;
  no_units.hidden = {3, 0};
  expect_refused("input is 0", no_input);
  expect_refused("output is 0", no_output);
  expect_refused("hidden layer 2 has 0 units", no_units);
  expect_refused("lstm is -1", small(-1));
  expect_refused("at least one convolution", pictures_through({}));
  expect_refused("height, width and channels of pictures are 9, 9 and 0",
                 pictures_through({{6, 3, 2, 1}}, 0));
  const RolloutConv::Layer first{6, 3, 2, 1};  // leaves 5 x 5
  expect_refused("padding of convolution 2 of 2 is 3", pictures_through({first, {4, 3, 1, 3}}));
  expect_refused("convolution 2 of 2 finds 5 x 5 pixels", pictures_through({first, {4, 6, 1, 0}}));
  expect_refused("filters of convolution 2 of 2 is 0", pictures_through({first, {0, 1, 1, 0}}));
  expect_refused("kernel of convolution 2 of 2 is 0", pictures_through({first, {1, 0, 1, 0}}));
  expect_refused("stride of convolution 2 of 2 is 0", pictures_through({first, {1, 1, 0, 0}}));
}

}  // namespace
}  // namespace tenfold::nn
