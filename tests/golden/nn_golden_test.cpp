// nn.json holds what PyTorch computed (make_nn.py); both engines must agree, in one shard or in
// many.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/dense_layer.hpp"
#include "kernels/flat_optimizer.hpp"
#include "nn/mlp.hpp"
#include "nn/torch_network.hpp"

namespace tenfold {
namespace {

using Json = nlohmann::json;
using kernels::Activation;

const Json& golden() {
  static const Json json = [] {
    std::ifstream file(TENFOLD_SOURCE_DIR "/tests/golden/nn.json");
    return Json::parse(file);
  }();
  return json;
}

at::Tensor tensor(const Json& numbers, at::ScalarType type = at::kFloat) {
  auto values = numbers.get<std::vector<double>>();
  return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kDouble)
      .to(type)
      .clone();
}

double largest_difference(const at::Tensor& ours, const Json& numbers) {
  const at::Tensor expected = tensor(numbers, at::kDouble);
  if (expected.numel() == 0) return 0;
  return (ours.reshape({-1}).to(at::kDouble) - expected).abs().max().item<double>();
}

Activation activation(const std::string& word) {
  if (word == "relu") return Activation::kRelu;
  return word == "tanh" ? Activation::kTanh : Activation::kIdentity;
}

nn::MlpSpec spec_of(const Json& json) {
  nn::MlpSpec spec;
  spec.input = json.at("input");
  spec.hidden = json.at("hidden").get<std::vector<std::int64_t>>();
  spec.output = json.at("output");
  spec.second_input = json.at("second_input");
  spec.second_layer = json.at("second_layer");
  spec.hidden_activation = activation(json.at("hidden_activation"));
  spec.output_activation = activation(json.at("output_activation"));
  spec.batch_norm_input = json.at("batch_norm_input");
  spec.batch_norm_hidden = json.at("batch_norm_hidden");
  spec.batch_norm_eps = json.at("batch_norm_eps");
  spec.batch_norm_momentum = json.at("batch_norm_momentum");
  spec.layer_norm_hidden = json.at("layer_norm_hidden");
  spec.layer_norm_eps = json.at("layer_norm_eps");
  return spec;
}

nn::ConvSpec conv_of(const Json& json) {
  nn::ConvSpec spec;
  spec.height = json.at("height");
  spec.width = json.at("width");
  spec.channels = json.at("channels");
  spec.filters = json.at("filters").get<std::vector<std::int64_t>>();
  spec.kernel = json.at("kernel");
  spec.stride = json.at("stride");
  spec.padding = json.at("padding");
  spec.batch_norm = json.at("conv_batch_norm");
  return spec;
}

// Every entry of the layout must be in the file under PyTorch's name, and none more.
at::Tensor flat(const nn::ParameterLayout& layout, const Json& by_name) {
  EXPECT_EQ(layout.entries().size(), by_name.size());
  const at::Tensor values = at::zeros({layout.flat_size()});
  for (const nn::ParameterEntry& e : layout.entries()) {
    values.narrow(0, e.offset, e.size).copy_(tensor(by_name.at(e.name)));
  }
  return values;
}

void expect_named_near(const nn::ParameterLayout& layout, const at::Tensor& values,
                       const Json& by_name, double tolerance) {
  for (const nn::ParameterEntry& e : layout.entries()) {
    EXPECT_LE(largest_difference(values.narrow(0, e.offset, e.size), by_name.at(e.name)), tolerance)
        << e.name;
  }
}

void run_network(const nn::Network& net, const Json& json, std::int64_t shards) {
  const nn::MlpSpec spec = spec_of(json.at("spec"));
  const std::int64_t rows = json.at("rows").get<std::int64_t>() / shards;
  const at::Tensor parameters = flat(net.parameters(), json.at("parameters"));
  const at::Tensor buffers = flat(net.buffers(), json.at("buffers"));
  const auto pass = net.make_pass(shards, rows, at::kCPU);
  pass->input().copy_(tensor(json.at("input")).view(pass->input().sizes()));
  if (spec.second_input > 0) {
    pass->second_input().copy_(
        tensor(json.at("second_input")).view({shards, rows, spec.second_input}));
  }
  const nn::Mode mode = json.at("mode") == "train" ? nn::Mode::kTrain : nn::Mode::kEval;
  const at::Tensor& output = pass->forward(parameters, buffers, mode);
  EXPECT_LE(largest_difference(output, json.at("output")), 3e-6);
  pass->output_gradient().copy_(
      tensor(json.at("output_gradient")).view({shards, rows, spec.output}));
  const at::Tensor gradients = at::full({shards, net.parameters().flat_size()}, NAN);
  pass->backward(parameters, gradients, spec.second_input > 0);
  // Gradients reach 70 in these cases.
  expect_named_near(net.parameters(), gradients.sum(0), json.at("gradients"), 4e-5);
  expect_named_near(net.buffers(), buffers, json.at("buffers_after"), 2e-6);
  if (spec.second_input > 0) {
    EXPECT_LE(largest_difference(pass->second_input_gradient(), json.at("second_gradient")), 1e-5);
  }
}

void run_split(const nn::Network& net, const Json& json, const std::string& engine) {
  for (const std::int64_t shards : {1, 2, 8}) {
    SCOPED_TRACE(testing::Message() << json.at("name") << ", " << json.at("mode") << ", " << engine
                                    << ", " << shards << " shards");
    run_network(net, json, shards);
  }
}

TEST(Golden, NetworksEqualPyTorchForwardAndBackward) {
  ASSERT_EQ(golden().at("networks").size(), 15U);
  for (const Json& json : golden().at("networks")) {
    const nn::MlpSpec spec = spec_of(json.at("spec"));
    run_split(nn::Mlp(spec), json, "fused");
    run_split(nn::TorchNetwork(spec), json, "torch");
  }
}

TEST(Golden, NetworksOfPicturesEqualPyTorchForwardAndBackward) {
  ASSERT_EQ(golden().at("pictures").size(), 7U);
  for (const Json& json : golden().at("pictures")) {
    const Json& spec = json.at("spec");
    run_split(nn::Mlp({spec_of(spec), conv_of(spec)}), json, "fused");
    run_split(nn::TorchNetwork({spec_of(spec), conv_of(spec)}), json, "torch");
  }
}

TEST(Golden, AdamFollowsTorchFor100StepsWithMaskedDecay) {
  const Json& json = golden().at("adam");
  const at::Tensor p = tensor(json.at("start"));
  const at::Tensor m = at::zeros(p.sizes());
  const at::Tensor v = at::zeros(p.sizes());
  const at::Tensor l2 = at::zeros(p.sizes());
  const auto mask = json.at("mask").get<std::vector<bool>>();
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i]) l2.data_ptr<float>()[i] = json.at("decay").get<float>();
  }
  std::int64_t step = 0;
  for (const Json& gradient : json.at("gradients")) {
    kernels::adam_step(p, tensor(gradient), m, v, l2, ++step, {.lr = json.at("lr")});
  }
  EXPECT_EQ(step, 100);
  EXPECT_LE(largest_difference(p, json.at("end")), 2e-6);
}

TEST(Golden, PolyakFollowsTorchsLerp) {
  const Json& json = golden().at("polyak");
  const at::Tensor target = tensor(json.at("start"));
  for (const Json& source : json.at("sources")) {
    kernels::polyak(target, tensor(source), json.at("tau"));
  }
  EXPECT_LE(largest_difference(target, json.at("end")), 1e-6);
}

TEST(Golden, RunningStatisticsFollowTorchForTwentyBatches) {
  const Json& json = golden().at("running");
  const at::Tensor mean = at::zeros({3});
  const at::Tensor var = at::full({3}, 1.0);
  const at::Tensor sums = at::zeros({1, 6}, at::kDouble);
  const at::Tensor batch_mean = at::zeros({3}, at::kDouble);
  const at::Tensor inv_std = at::zeros({3}, at::kDouble);
  for (const Json& batch : json.at("batches")) {
    kernels::batch_norm_sums(tensor(batch).view({1, 8, 3}), sums);
    kernels::batch_norm_statistics(sums.view({6}), 8, 1e-5, 0.1, batch_mean, inv_std, mean, var);
  }
  EXPECT_LE(largest_difference(mean, json.at("mean")), 1e-6);
  EXPECT_LE(largest_difference(var, json.at("var")), 5e-6);
}

}  // namespace
}  // namespace tenfold
