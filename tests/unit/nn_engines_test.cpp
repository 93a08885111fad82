// The two engines beside each other, and both beside finite differences.
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "nn/torch_network.hpp"
#include "support/network_checks.hpp"

namespace tenfold::nn {
namespace {

using kernels::Activation;
using test::FilledNetwork;

MlpSpec critic(std::int64_t action_layer) {
  MlpSpec spec;
  spec.input = 17;
  spec.hidden = {40, 24};
  spec.output = 1;
  spec.second_input = 3;
  spec.second_layer = action_layer;
  return spec;
}

MlpSpec actor() {
  MlpSpec spec = critic(1);
  spec.second_input = 0;
  spec.output = 3;
  spec.output_activation = Activation::kTanh;
  return spec;
}

std::vector<MlpSpec> all_variants() {
  std::vector<MlpSpec> specs{actor(), critic(1), critic(2), critic(3)};
  for (MlpSpec spec : {actor(), critic(1), critic(2), critic(3)}) {
    spec.batch_norm_input = true;
    specs.push_back(spec);
    spec.batch_norm_hidden = 1;
    specs.push_back(spec);
    spec.batch_norm_hidden = 2;
    spec.hidden_activation = Activation::kTanh;
    specs.push_back(spec);
    spec.batch_norm_hidden = 0;
    spec.layer_norm_hidden = 1;
    specs.push_back(spec);
    spec.batch_norm_input = false;
    spec.layer_norm_hidden = 2;
    spec.hidden_activation = Activation::kRelu;
    specs.push_back(spec);
  }
  MlpSpec linear = critic(1);
  linear.hidden = {};
  specs.push_back(linear);
  return specs;
}

NetworkSpec small_pictures(bool batch_norm) {
  NetworkSpec spec(critic(2), ConvSpec{});
  spec.mlp.hidden = {12, 9};
  spec.mlp.hidden_activation = Activation::kTanh;
  spec.mlp.batch_norm_input = batch_norm;
  spec.mlp.batch_norm_hidden = batch_norm ? 1 : 0;
  spec.conv->height = 10;
  spec.conv->width = 8;
  spec.conv->channels = 3;
  spec.conv->filters = {4, 5};
  spec.conv->batch_norm = batch_norm;
  return spec;
}

TorchNetwork torch_net(const MlpSpec& spec) {
  return TorchNetwork(spec);
}

// In units in the last place of the largest number of either tensor.
double ulps_apart(const at::Tensor& a, const at::Tensor& b) {
  const double largest = b.abs().max().item<double>();
  if (largest == 0) return a.abs().max().item<double>() == 0 ? 0 : INFINITY;
  const double ulp = std::ldexp(1.0, std::ilogb(largest) - 23);
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>() / ulp;
}

// What backward leaves: sums of a few dozen products each, in another order.
constexpr double kUlps = 64;

void expect_close(FilledNetwork& fused, FilledNetwork& torch, Mode mode) {
  const bool second = fused.pass->second_input().defined();
  const at::Tensor weight = at::empty(fused.pass->output().sizes(), at::kFloat);
  test::fill_random(weight, 4);
  for (FilledNetwork* each : {&fused, &torch}) {
    each->gradients.fill_(NAN);
    each->pass->forward(each->parameters, each->buffers, mode);
    each->pass->output_gradient().copy_(weight);
    each->pass->backward(each->parameters, each->gradients, second);
  }
  EXPECT_LE(ulps_apart(torch.pass->output(), fused.pass->output()), kUlps);
  if (fused.pass->preactivation().defined()) {
    EXPECT_LE(ulps_apart(torch.pass->preactivation(), fused.pass->preactivation()), kUlps);
  }
  if (second) {
    EXPECT_LE(ulps_apart(torch.pass->second_input_gradient(), fused.pass->second_input_gradient()),
              kUlps);
  }
  for (const ParameterEntry& e : fused.net.parameters().entries()) {
    // The batch norm behind them takes constants out: this gradient is nothing but rounding.
    if (e.name == "input_norm.bias" && mode != Mode::kEval) continue;
    EXPECT_LE(ulps_apart(torch.gradients.narrow(1, e.offset, e.size),
                         fused.gradients.narrow(1, e.offset, e.size)),
              kUlps)
        << e.name;
  }
  EXPECT_FALSE(torch.gradients.isnan().any().item<bool>());
  if (fused.buffers.numel() == 0) return;
  EXPECT_LE(ulps_apart(torch.buffers, fused.buffers), 4);
}

TEST(Engines, AgreeForwardAndBackwardOnEveryVariant) {
  for (const MlpSpec& spec : all_variants()) {
    const Mlp mlp(spec);
    const TorchNetwork torch = torch_net(spec);
    for (const Mode mode : {Mode::kTrain, Mode::kTrainFrozenStatistics, Mode::kEval}) {
      SCOPED_TRACE(testing::Message()
                   << "action layer " << spec.second_layer * (spec.second_input > 0)
                   << ", batch norm " << spec.batch_norm_input << spec.batch_norm_hidden
                   << ", layer norm " << spec.layer_norm_hidden << ", mode "
                   << static_cast<int>(mode));
      FilledNetwork ours(mlp, 3, 8), theirs(torch, 3, 8);
      expect_close(ours, theirs, mode);
    }
  }
}

TEST(Engines, AgreeOnPictures) {
  for (const bool batch_norm : {false, true}) {
    for (const std::int64_t layer : {1, 2, 3}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        NetworkSpec spec = small_pictures(batch_norm);
        spec.mlp.second_layer = layer;
        spec.conv->stride = stride;
        const Mlp mlp(spec);
        const TorchNetwork torch(spec);
        for (const Mode mode : {Mode::kTrain, Mode::kEval}) {
          SCOPED_TRACE(testing::Message()
                       << "action layer " << layer << ", batch norm " << batch_norm << ", stride "
                       << stride << ", mode " << static_cast<int>(mode));
          FilledNetwork ours(mlp, 2, 5), theirs(torch, 2, 5);
          expect_close(ours, theirs, mode);
        }
      }
    }
  }
}

TEST(Engines, StartFromTheSameNumbersUnderTheSameNames) {
  for (const MlpSpec& spec : all_variants()) {
    const Mlp mlp(spec);
    const TorchNetwork torch = torch_net(spec);
    ASSERT_EQ(mlp.parameters().entries().size(), torch.parameters().entries().size());
    for (std::size_t e = 0; e < mlp.parameters().entries().size(); ++e) {
      EXPECT_EQ(mlp.parameters().entries()[e].name, torch.parameters().entries()[e].name);
      EXPECT_EQ(mlp.parameters().entries()[e].shape, torch.parameters().entries()[e].shape);
      EXPECT_EQ(mlp.parameters().entries()[e].offset, torch.parameters().entries()[e].offset);
    }
    EXPECT_TRUE(
        at::equal(FilledNetwork(mlp, 1, 1).parameters, FilledNetwork(torch, 1, 1).parameters));
  }
}

TEST(Engines, BackwardEqualsFiniteDifferences) {
  MlpSpec spec = critic(2);
  spec.hidden = {12, 9};
  spec.hidden_activation = spec.output_activation = Activation::kTanh;
  const auto both = [](const MlpSpec& each, Mode mode) {
    const Mlp mlp(each);
    FilledNetwork fused(mlp, 2, 6);
    test::expect_finite_differences(fused, mode);
    const TorchNetwork net = torch_net(each);
    FilledNetwork torch(net, 2, 6);
    test::expect_finite_differences(torch, mode);
  };
  both(spec, Mode::kTrain);
  spec.layer_norm_hidden = 2;
  both(spec, Mode::kTrain);
  spec.layer_norm_hidden = 0;
  spec.batch_norm_input = true;
  spec.batch_norm_hidden = 2;
  both(spec, Mode::kTrainFrozenStatistics);
  both(spec, Mode::kEval);
}

// A ReLU has a kink. Of one convolution with a bias of 6 none closes: 27 weights of at most
// 1/sqrt(27) cannot take 6 from inputs in [0, 1]. Nor of two behind norms that shift by 12: of 120
// rows and places none is normalised to more than sqrt(119).
TEST(Engines, BackwardThroughConvolutionsEqualsFiniteDifferences) {
  for (const bool batch_norm : {false, true}) {
    NetworkSpec spec = small_pictures(batch_norm);
    if (!batch_norm) spec.conv->filters = {4};
    const Mlp fused(spec);
    const TorchNetwork torch(spec);
    for (const Network* net :
         {static_cast<const Network*>(&fused), static_cast<const Network*>(&torch)}) {
      FilledNetwork filled(*net, 2, 3);
      for (const ParameterEntry& e : net->parameters().entries()) {
        if (e.name.starts_with("conv") && e.name.ends_with(".bias")) {
          filled.part(e.name).fill_(batch_norm ? 12.0 : 6.0);
        }
        // Large activations would saturate the tanh behind them.
        if (e.name == "layer0.weight") filled.part(e.name).mul_(batch_norm ? 0.1 : 0.02);
      }
      SCOPED_TRACE(testing::Message()
                   << (net == &fused ? "fused" : "torch") << ", batch norm " << batch_norm);
      test::expect_finite_differences(filled, Mode::kTrainFrozenStatistics);
      if (batch_norm) test::expect_finite_differences(filled, Mode::kEval);
    }
  }
}

TEST(Engines, ThePapersPictureNetsHaveTheCountedParameters) {
  MlpSpec mlp;
  mlp.hidden = {200, 200};
  mlp.output = 1;
  ConvSpec conv;
  conv.height = conv.width = 64;
  conv.channels = 9;
  conv.filters = {32, 32, 32};
  // 9 * 9 * 32 + 32, twice 9 * 32 * 32 + 32, then 8 * 8 * 32 = 2048 -> 200 -> 200 -> 1.
  const std::int64_t expected = 2624 + 2 * 9248 + (2048 * 200 + 200) + (200 * 200 + 200) + 201;
  EXPECT_EQ(Mlp({mlp, conv}).parameters().parameter_count(), expected);
  EXPECT_EQ(expected, 471321);
}

// What a pass was made for is all that it gives, and the same as of a pass made for everything.
void expect_action_alone(const Network& net) {
  FilledNetwork whole(net, 2, 3), alone(net, 2, 3, Gradients::kSecondInput);
  for (FilledNetwork* each : {&whole, &alone}) {
    each->pass->forward(each->parameters, each->buffers, Mode::kTrainFrozenStatistics);
    each->pass->output_gradient().fill_(1.0);
  }
  whole.pass->backward(whole.parameters, whole.gradients, true);
  alone.pass->backward(alone.parameters, {}, true);
  EXPECT_LE(ulps_apart(alone.pass->second_input_gradient(), whole.pass->second_input_gradient()),
            8);
  EXPECT_GT(alone.pass->second_input_gradient().abs().max().item<double>(), 1e-6);
  EXPECT_THROW(alone.pass->backward(alone.parameters, alone.gradients, false), base::Error);
  FilledNetwork none(net, 2, 3, Gradients::kNone);
  none.pass->forward(none.parameters, none.buffers, Mode::kEval);
  EXPECT_THROW(none.pass->backward(none.parameters, {}, true), base::Error);
}

TEST(Engines, APassForTheActionAloneGivesTheSameGradient) {
  for (const std::int64_t layer : {1, 2, 3}) {
    for (const bool batch_norm : {false, true}) {
      NetworkSpec spec = small_pictures(batch_norm);
      spec.mlp.second_layer = layer;
      expect_action_alone(Mlp(spec));
      expect_action_alone(TorchNetwork(spec));
    }
  }
}

TEST(Engines, GradientsOfATorchPassAreOverwrittenAndTheirPaddingIsZero) {
  const TorchNetwork net = torch_net(critic(2));
  FilledNetwork filled(net, 2, 3);
  for (int call = 0; call < 2; ++call) {
    filled.gradients.fill_(NAN);
    filled.pass->forward(filled.parameters, filled.buffers, Mode::kTrain);
    filled.pass->output_gradient().fill_(1.0);
    filled.pass->backward(filled.parameters, filled.gradients, false);
    for (std::int64_t i = 0; i < filled.gradients.size(1); ++i) {
      if (net.parameters().name_at(i) != "padding") continue;
      EXPECT_EQ(filled.gradients[0][i].item<float>(), 0.0F);
      EXPECT_EQ(filled.gradients[1][i].item<float>(), 0.0F);
    }
    EXPECT_FALSE(filled.gradients.isnan().any().item<bool>());
  }
}

TEST(Engines, SpecsThatMakeNoNetworkAreRefused) {
  MlpSpec both = critic(1);
  both.batch_norm_hidden = both.layer_norm_hidden = 1;
  EXPECT_THROW(Mlp{both}, base::Error);
  MlpSpec deep = critic(1);
  deep.layer_norm_hidden = 3;
  EXPECT_THROW(Mlp{deep}, base::Error);
  NetworkSpec none = small_pictures(false);
  none.conv->filters = {};
  EXPECT_THROW(Mlp{none}, base::Error);
  NetworkSpec small = small_pictures(false);
  small.conv->padding = 0;
  small.conv->filters = {4, 4, 4};  // 10 x 8, 4 x 3, 1 x 1, and no third
  try {
    const Mlp net(small);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_NE(std::string(error.what()).find("convolution 3 of 3 finds 1 x 1 pixels"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace tenfold::nn
