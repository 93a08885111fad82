// The engine's hand-written backward pass against LibTorch's autograd, on random networks.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <gtest/gtest.h>

#include <map>

#include "base/philox.hpp"
#include "nn/mlp.hpp"

namespace tenfold::nn {
namespace {

using kernels::Activation;

at::Tensor random_tensor(at::IntArrayRef shape, base::Stream& stream) {
  const at::Tensor values = at::empty(shape, at::kFloat);
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<float>()[i] = static_cast<float>(stream.normal());
  }
  return values;
}

MlpSpec random_spec(base::Stream& stream) {
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  MlpSpec spec;
  spec.input = pick(1, 20);
  for (std::int64_t l = pick(0, 3); l > 0; --l) spec.hidden.push_back(pick(1, 40));
  const auto layers = static_cast<std::int64_t>(spec.hidden.size()) + 1;
  spec.output = pick(1, 6);
  spec.second_input = pick(0, 1) * pick(1, 6);
  spec.second_layer = pick(1, layers);
  spec.hidden_activation = pick(0, 1) == 1 ? Activation::kRelu : Activation::kTanh;
  spec.output_activation = static_cast<Activation>(pick(0, 2));
  spec.batch_norm_input = pick(0, 1) == 1;
  spec.batch_norm_hidden = pick(0, layers - 1);
  if (spec.batch_norm_hidden == 0) spec.layer_norm_hidden = pick(0, layers - 1);
  return spec;
}

using Leaves = std::map<std::string, at::Tensor>;

at::Tensor activate(const at::Tensor& x, Activation activation) {
  if (activation == Activation::kRelu) return at::relu(x);
  return activation == Activation::kTanh ? at::tanh(x) : x;
}

at::Tensor normalise(const at::Tensor& x, const Leaves& leaf, const std::string& name, double eps) {
  const at::Tensor centred = x - x.mean(0);
  const at::Tensor xhat = centred * (centred.square().mean(0) + eps).rsqrt();
  return xhat * leaf.at(name + ".weight") + leaf.at(name + ".bias");
}

at::Tensor reference(const MlpSpec& spec, const Leaves& leaf, at::Tensor x,
                     const at::Tensor& second) {
  if (spec.batch_norm_input) x = normalise(x, leaf, "input_norm", spec.batch_norm_eps);
  for (std::size_t l = 0; l <= spec.hidden.size(); ++l) {
    const std::string layer = "layer" + std::to_string(l);
    if (spec.second_input > 0 && static_cast<std::int64_t>(l) + 1 == spec.second_layer) {
      x = at::cat({x, second}, 1);
    }
    const bool normed = static_cast<std::int64_t>(l) < spec.batch_norm_hidden;
    x = at::linear(x, leaf.at(layer + ".weight"), normed ? at::Tensor() : leaf.at(layer + ".bias"));
    if (normed) x = normalise(x, leaf, "norm" + std::to_string(l), spec.batch_norm_eps);
    if (static_cast<std::int64_t>(l) < spec.layer_norm_hidden) {
      const std::string name = "layer_norm" + std::to_string(l);
      x = at::layer_norm(x, {x.size(1)}, leaf.at(name + ".weight"), leaf.at(name + ".bias"),
                         spec.layer_norm_eps);
    }
    x = activate(x, l == spec.hidden.size() ? spec.output_activation : spec.hidden_activation);
  }
  return x;
}

at::Tensor leaf_of(const at::Tensor& values) {
  return values.to(at::kDouble).clone().detach().requires_grad_(true);
}

void expect_near(const at::Tensor& ours, const at::Tensor& expected, const std::string& what) {
  const at::Tensor flat = expected.reshape({-1});
  const double scale = 1.0 + flat.abs().max().item<double>();
  const double error = (ours.reshape({-1}).to(at::kDouble) - flat).abs().max().item<double>();
  EXPECT_LE(error, 2e-5 * scale) << what;
}

void check_against_autograd(std::uint32_t index) {
  base::Stream stream(41, base::Purpose::kTest, index, 0);
  const MlpSpec spec = random_spec(stream);
  const Mlp mlp(spec);
  const std::int64_t shards = 1 + static_cast<std::int64_t>(stream.below(4));
  const std::int64_t rows = 3 + static_cast<std::int64_t>(stream.below(10));
  const std::int64_t batch = shards * rows;
  const at::Tensor parameters = at::empty({mlp.parameters().flat_size()}, at::kFloat);
  const at::Tensor buffers = at::empty({mlp.buffers().flat_size()}, at::kFloat);
  mlp.initialize(parameters, buffers, 1, index);
  const at::Tensor x = random_tensor({batch, spec.input}, stream);
  const at::Tensor second = random_tensor({batch, spec.second_input}, stream);
  const at::Tensor dy = random_tensor({batch, spec.output}, stream);

  Leaves leaf;
  for (const ParameterEntry& e : mlp.parameters().entries()) {
    leaf[e.name] = leaf_of(parameters.narrow(0, e.offset, e.size).view(e.shape));
  }
  const at::Tensor second_leaf = leaf_of(second);
  const at::Tensor expected = reference(spec, leaf, x.to(at::kDouble), second_leaf);
  expected.backward(dy.to(at::kDouble));

  MlpPass pass(mlp, shards, rows, at::kCPU);
  pass.input().copy_(x.view({shards, rows, -1}));
  if (spec.second_input > 0) pass.second_input().copy_(second.view({shards, rows, -1}));
  expect_near(pass.forward(parameters, buffers, Mode::kTrain), expected.detach(), "output");
  pass.output_gradient().copy_(dy.view({shards, rows, -1}));
  const at::Tensor gradients = at::empty({shards, mlp.parameters().flat_size()}, at::kFloat);
  pass.backward(parameters, gradients, spec.second_input > 0);
  const at::Tensor total = gradients.to(at::kDouble).sum(0);
  for (const ParameterEntry& e : mlp.parameters().entries()) {
    expect_near(total.narrow(0, e.offset, e.size), leaf.at(e.name).grad(), e.name);
  }
  if (spec.second_input > 0) {
    expect_near(pass.second_input_gradient(), second_leaf.grad(), "second input");
  }
}

TEST(Autograd, RandomNetworksHaveItsGradients) {
  for (std::uint32_t index = 0; index < 60; ++index) {
    SCOPED_TRACE(testing::Message() << "random network " << index);
    check_against_autograd(index);
  }
}

}  // namespace
}  // namespace tenfold::nn
