#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "nn/mlp.hpp"
#include "support/network_checks.hpp"

namespace tenfold::nn {
namespace {

// A network with its parameters and one pass of S shards of B rows, filled with random numbers.
struct Net {
  Net(const MlpSpec& spec, std::int64_t shards, std::int64_t rows)
      : mlp(spec),
        parameters(at::empty({mlp.parameters().flat_size()}, at::kFloat)),
        buffers(at::empty({mlp.buffers().flat_size()}, at::kFloat)),
        gradients(at::empty({shards, mlp.parameters().flat_size()}, at::kFloat)),
        pass(mlp, shards, rows, at::kCPU) {
    mlp.initialize(parameters, buffers, 3, 0);
    test::fill_random(pass.input(), 1);
    if (spec.second_input > 0) test::fill_random(pass.second_input(), 2);
  }
  at::Tensor part(const std::string& name, const at::Tensor& flat) const {
    for (const ParameterEntry& e : mlp.parameters().entries()) {
      if (e.name == name) return flat.narrow(-1, e.offset, e.size);
    }
    throw std::runtime_error("no parameter " + name);
  }
  Mlp mlp;
  at::Tensor parameters, buffers, gradients;
  MlpPass pass;
};

MlpSpec small_critic() {
  MlpSpec spec;
  spec.input = 5;
  spec.hidden = {12, 9};
  spec.output = 1;
  spec.second_input = 2;
  spec.second_layer = 2;
  return spec;
}

// papers/ddpg.md, oracle 9.13: with the action's columns of the second layer cleared, nothing
// depends on the action, so it enters nowhere else.
TEST(MlpPass, ActionEntersAtTheSecondLayerOnly) {
  Net net(small_critic(), 2, 4);
  net.part("layer1.weight", net.parameters).view({9, 14}).narrow(1, 12, 2).zero_();
  const at::Tensor before = net.pass.forward(net.parameters, net.buffers, Mode::kEval).clone();
  test::fill_random(net.pass.second_input(), 9);
  EXPECT_TRUE(at::equal(net.pass.forward(net.parameters, net.buffers, Mode::kEval), before));
  net.pass.output_gradient().fill_(1.0);
  net.pass.backward(net.parameters, {}, true);
  EXPECT_EQ(net.pass.second_input_gradient().abs().max().item<float>(), 0.0F);
}

TEST(MlpPass, InputGradientAloneEqualsTheFullBackward) {
  for (const std::int64_t layer : {1, 2, 3}) {
    MlpSpec spec = small_critic();
    spec.second_layer = layer;
    Net net(spec, 3, 4);
    net.pass.forward(net.parameters, net.buffers, Mode::kTrain);
    test::fill_random(net.pass.output_gradient(), 4);
    const at::Tensor given = net.pass.output_gradient().clone();
    net.pass.backward(net.parameters, {}, true);
    const at::Tensor alone = net.pass.second_input_gradient().clone();
    net.pass.output_gradient().copy_(given);
    net.pass.backward(net.parameters, net.gradients, true);
    EXPECT_LE((net.pass.second_input_gradient() - alone).abs().max().item<double>(), 1e-6);
    EXPECT_GT(alone.abs().max().item<double>(), 1e-3);
  }
}

TEST(MlpPass, PaddingOfGradientsIsZeroOnEveryCall) {
  Net net(small_critic(), 2, 3);
  for (int call = 0; call < 2; ++call) {
    net.gradients.fill_(NAN);
    net.pass.forward(net.parameters, net.buffers, Mode::kTrain);
    net.pass.output_gradient().fill_(1.0);
    net.pass.backward(net.parameters, net.gradients, false);
    EXPECT_FALSE(net.gradients.isnan().any().item<bool>());
    for (std::int64_t i = 0; i < net.gradients.size(1); ++i) {
      if (net.mlp.parameters().name_at(i) != "padding") continue;
      EXPECT_EQ(net.gradients[0][i].item<float>(), 0.0F);
      EXPECT_EQ(net.gradients[1][i].item<float>(), 0.0F);
    }
  }
}

TEST(MlpPass, OtherParametersGiveOtherResultsAndOldOnesTheOld) {
  Net net(small_critic(), 1, 4);
  const at::Tensor first = net.pass.forward(net.parameters, net.buffers, Mode::kEval).clone();
  const at::Tensor other = net.parameters * 1.5;
  EXPECT_FALSE(at::equal(net.pass.forward(other, net.buffers, Mode::kEval), first));
  EXPECT_TRUE(at::equal(net.pass.forward(net.parameters, net.buffers, Mode::kEval), first));
}

TEST(MlpPass, PreactivationIsWhatTheTanhSaw) {
  MlpSpec spec = small_critic();
  spec.output = 3;
  spec.output_activation = kernels::Activation::kTanh;
  Net net(spec, 2, 4);
  net.parameters.mul_(30);
  const at::Tensor& output = net.pass.forward(net.parameters, net.buffers, Mode::kEval);
  const at::Tensor& before = net.pass.preactivation();
  EXPECT_LE((before.tanh() - output).abs().max().item<double>(), 1e-6);
  EXPECT_GT(before.abs().max().item<double>(), 20.0);  // beyond what atanh(output) could tell
  EXPECT_FALSE(Net(small_critic(), 1, 1).pass.preactivation().defined());
}

TEST(MlpPass, RunningStatisticsMoveInTrainingOnly) {
  MlpSpec spec = small_critic();
  spec.batch_norm_input = true;
  spec.batch_norm_hidden = 1;
  Net net(spec, 2, 8);
  const at::Tensor start = net.buffers.clone();
  const at::Tensor train = net.pass.forward(net.parameters, net.buffers, Mode::kTrain).clone();
  EXPECT_FALSE(at::equal(net.buffers, start));
  net.buffers.copy_(start);
  const at::Tensor frozen =
      net.pass.forward(net.parameters, net.buffers, Mode::kTrainFrozenStatistics).clone();
  EXPECT_TRUE(at::equal(net.buffers, start));
  EXPECT_TRUE(at::equal(frozen, train));
  const at::Tensor eval = net.pass.forward(net.parameters, net.buffers, Mode::kEval).clone();
  EXPECT_TRUE(at::equal(net.buffers, start));
  EXPECT_FALSE(at::equal(eval, train));
}

// A tanh that is exactly 1 passes nothing back: what is left is the penalty's own w z.
TEST(MlpPass, PreactivationWeightActsBehindASaturatedTanh) {
  MlpSpec spec;
  spec.input = 1;
  spec.output = 2;
  spec.output_activation = kernels::Activation::kTanh;
  Net net(spec, 1, 2);
  net.parameters.zero_();
  net.part("layer0.weight", net.parameters).fill_(50);
  net.pass.input().fill_(0.5);
  for (const double weight : {0.0, 0.25}) {
    EXPECT_EQ(net.pass.forward(net.parameters, net.buffers, Mode::kTrain).min().item<float>(), 1);
    net.pass.output_gradient().fill_(3);
    net.pass.backward(net.parameters, net.gradients, false, weight);
    // Two rows of z = 25, input 0.5.
    EXPECT_TRUE(at::equal(net.part("layer0.bias", net.gradients),
                          at::full({1, 2}, static_cast<float>(weight * 2 * 25))));
    EXPECT_TRUE(at::equal(net.part("layer0.weight", net.gradients),
                          at::full({1, 2}, static_cast<float>(weight * 2 * 25 * 0.5))));
  }
}

// Counts the allocations of tensors.
class CountingAllocator final : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* inner) : inner_(inner) {}
  c10::DataPtr allocate(std::size_t size) override {
    ++count;
    return inner_->allocate(size);
  }
  c10::DeleterFnPtr raw_deleter() const override { return inner_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    inner_->copy_data(to, from, bytes);
  }
  int count = 0;

 private:
  c10::Allocator* inner_;
};

TEST(MlpPass, NoTensorIsAllocatedPerCall) {
  MlpSpec spec = small_critic();
  spec.batch_norm_input = true;
  spec.batch_norm_hidden = 1;
  Net net(spec, 4, 8);
  const auto update = [&] {
    net.pass.forward(net.parameters, net.buffers, Mode::kTrain);
    net.pass.backward(net.parameters, net.gradients, true);
  };
  update();  // makes the views
  c10::Allocator* const usual = c10::GetCPUAllocator();
  CountingAllocator counting(usual);
  c10::SetCPUAllocator(&counting, 1);
  at::empty({4}, at::kFloat);
  const int control = counting.count;
  update();
  const int in_update = counting.count - control;
  c10::SetCPUAllocator(usual, 1);
  EXPECT_EQ(control, 1);
  EXPECT_EQ(in_update, 0);
}

TEST(MlpPass, MisuseIsABug) {
  Net net(small_critic(), 2, 3);
  EXPECT_THROW(net.pass.backward(net.parameters, net.gradients, false), base::Error);
  EXPECT_THROW(net.pass.forward(at::zeros({7}), net.buffers, Mode::kEval), base::Error);
  EXPECT_THROW(net.pass.forward(net.parameters.to(at::kDouble), net.buffers, Mode::kEval),
               base::Error);
  net.pass.forward(net.parameters, net.buffers, Mode::kEval);
  EXPECT_THROW(net.pass.backward(net.parameters, net.gradients.narrow(0, 0, 1), false),
               base::Error);
  EXPECT_THROW(net.pass.backward(net.parameters, net.gradients, false, 0.5), base::Error);
  MlpSpec actor = small_critic();
  actor.second_input = 0;
  Net without(actor, 1, 1);
  without.pass.forward(without.parameters, without.buffers, Mode::kEval);
  EXPECT_THROW(without.pass.backward(without.parameters, without.gradients, true), base::Error);
}

}  // namespace
}  // namespace tenfold::nn
