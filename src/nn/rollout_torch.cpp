#include "nn/rollout_torch.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/error.hpp"
#include "nn/flat_views.hpp"

namespace tenfold::nn {

using Tensors = std::vector<at::Tensor>;

namespace {

at::Tensor activated(const at::Tensor& x, kernels::Activation activation) {
  if (activation == kernels::Activation::kRelu) return at::relu(x);
  if (activation == kernels::Activation::kTanh) return at::tanh(x);
  return x;
}

template <class T>
std::span<T> step_span(const at::Tensor& all, std::int64_t t) {
  const at::Tensor step = all.select(0, t);
  return {step.data_ptr<std::remove_const_t<T>>(), static_cast<std::size_t>(step.numel())};
}

}  // namespace

TorchRolloutPass::TorchRolloutPass(std::shared_ptr<const RolloutPlan> plan, std::int64_t steps,
                                   std::int64_t rows, const at::Device& device, bool gradients)
    : plan_(std::move(plan)),
      steps_(steps),
      rows_(rows),
      device_(device),
      gradients_(gradients),
      ran_(static_cast<std::size_t>(steps)) {
  if (!device.is_cpu() && !device.is_cuda()) {
    throw base::Error(base::Code::kUsage, "the torch engine of rollouts runs on cpu or cuda",
                      "Choose one of them");
  }
  const RolloutSpec& spec = plan_->spec;
  if (spec.conv) {
    input_ = at::zeros({steps, rows, spec.conv->height, spec.conv->width, spec.conv->channels},
                       spec.conv->bytes ? at::kByte : at::kFloat);
  } else {
    input_ = at::zeros({steps, rows, spec.input}, at::kFloat);
  }
  if (spec.lstm > 0) state_ = at::zeros({steps + 1, rows, 2 * spec.lstm}, at::kFloat);
  begins_ = at::zeros({steps, rows}, at::kByte);
  output_ = at::zeros({steps, rows, spec.output}, at::kFloat);
  if (gradients) output_gradient_ = at::zeros({steps, rows, spec.output}, at::kFloat);
}

void TorchRolloutPass::check_step(std::int64_t t, std::int64_t steps) const {
  base::require(t >= 0 && t < steps, "RolloutPass: no such step");
}

std::span<float> TorchRolloutPass::input(std::int64_t t) {
  check_step(t, steps_);
  if (input_.scalar_type() == at::kByte) return {};
  return step_span<float>(input_, t);
}

std::span<std::uint8_t> TorchRolloutPass::frames(std::int64_t t) {
  check_step(t, steps_);
  if (input_.scalar_type() != at::kByte) return {};
  return step_span<std::uint8_t>(input_, t);
}

std::span<float> TorchRolloutPass::state(std::int64_t t) {
  check_step(t, steps_ + 1);
  if (!state_.defined()) return {};
  return step_span<float>(state_, t);
}

std::span<std::uint8_t> TorchRolloutPass::begins(std::int64_t t) {
  check_step(t, steps_);
  return step_span<std::uint8_t>(begins_, t);
}

std::span<const float> TorchRolloutPass::output(std::int64_t t) const {
  check_step(t, steps_);
  return step_span<const float>(output_, t);
}

std::span<float> TorchRolloutPass::output_gradient(std::int64_t t) {
  check_step(t, steps_);
  base::require(gradients_, "RolloutPass: made without gradients");
  return step_span<float>(output_gradient_, t);
}

void TorchRolloutPass::bind(const at::Tensor& parameters) {
  if (is_bound(bound_, parameters)) return;
  check_flat(parameters, plan_->parameters, device_);
  bound_ = parameters;
  leaves_.clear();
  for (std::size_t e = 0; e < plan_->parameters.entries().size(); ++e) {
    leaves_.push_back(entry_view(plan_->parameters, static_cast<int>(e), parameters)
                          .detach()
                          .requires_grad_(gradients_));
  }
}

// A copy: what the caller fills next must not change the graph.
at::Tensor TorchRolloutPass::on_device(const at::Tensor& host) const {
  return host.to(device_, host.scalar_type(), false, true);
}

// What the first fully connected layer of step t sees.
at::Tensor TorchRolloutPass::convolved(std::int64_t t) const {
  at::Tensor x = on_device(input_.select(0, t));
  if (!plan_->spec.conv) return x;
  if (plan_->spec.conv->bytes) x = x.to(at::kFloat).div_(255.0);
  x = x.permute({0, 3, 1, 2});
  for (const RolloutConvPlan& conv : plan_->convs) {
    x = at::conv2d(x, leaf(conv.weight).permute({3, 2, 0, 1}), leaf(conv.bias),
                   conv.geometry.stride, conv.geometry.padding);
    x = activated(x, plan_->spec.conv->activation);
  }
  return x.permute({0, 2, 3, 1}).flatten(1);
}

// [E, cells]; reads step.state, fills step.state_after.
at::Tensor TorchRolloutPass::through_cells(const at::Tensor& x, Step& step) const {
  const Tensors state = step.state.chunk(2, 1);
  const Tensors gates =
      at::addmm(leaf(plan_->lstm.bias), at::cat({x, state[0]}, 1), leaf(plan_->lstm.weight))
          .chunk(4, 1);
  const at::Tensor c =
      at::sigmoid(gates[1]) * state[1] + at::sigmoid(gates[0]) * at::tanh(gates[2]);
  const at::Tensor h = at::sigmoid(gates[3]) * at::tanh(c);
  step.state_after = at::cat({h, c}, 1);
  return h;
}

std::span<const float> TorchRolloutPass::forward(std::int64_t t, const at::Tensor& parameters) {
  check_step(t, steps_);
  const at::AutoGradMode graph(gradients_);
  bind(parameters);
  Step& step = ran_[static_cast<std::size_t>(t)];
  at::Tensor x = convolved(t);
  for (const RolloutLayerPlan& layer : plan_->layers) {
    x = activated(at::addmm(leaf(layer.bias), x, leaf(layer.weight)), layer.activation);
  }
  if (plan_->spec.lstm > 0) {
    step.state = on_device(state_.select(0, t)).requires_grad_(gradients_);
    x = through_cells(x, step);
  }
  step.output = at::addmm(leaf(plan_->head.bias), x, leaf(plan_->head.weight));
  const at::NoGradGuard no_graph;
  output_.select(0, t).copy_(step.output);
  if (plan_->spec.lstm > 0) state_.select(0, t + 1).copy_(step.state_after);
  return output(t);
}

void TorchRolloutPass::differentiate(std::int64_t count, const Tensors& into) const {
  Tensors outputs, slopes;
  for (std::int64_t t = 0; t < count; ++t) {
    outputs.push_back(ran_[static_cast<std::size_t>(t)].output);
    slopes.push_back(on_device(output_gradient_.select(0, t)));
  }
  const Tensors found = torch::autograd::grad(outputs, leaves_, slopes, true);
  const at::NoGradGuard no_graph;
  for (std::size_t e = 0; e < into.size(); ++e) into[e].copy_(found[e]);
}

// Step by step: which rows of a state go back to the step before is only known now.
void TorchRolloutPass::differentiate_cells(std::int64_t count, const Tensors& into) const {
  Tensors asked = leaves_;
  at::Tensor state_slope;
  asked.emplace_back();
  for (std::int64_t t = count; t-- > 0;) {
    const Step& step = ran_[static_cast<std::size_t>(t)];
    Tensors outputs{step.output}, slopes{on_device(output_gradient_.select(0, t))};
    if (state_slope.defined()) {
      outputs.push_back(step.state_after);
      slopes.push_back(
          state_slope.masked_fill(on_device(begins_.select(0, t + 1)).ne(0).unsqueeze(1), 0.0));
    }
    asked.back() = step.state;
    const Tensors found = torch::autograd::grad(outputs, asked, slopes, true);
    state_slope = found.back();
    const at::NoGradGuard no_graph;
    for (std::size_t e = 0; e < into.size(); ++e) into[e].add_(found[e]);
  }
}

void TorchRolloutPass::backward(std::int64_t count, const at::Tensor& parameters,
                                const at::Tensor& gradient) {
  base::require(gradients_, "RolloutPass::backward of a pass that was made without gradients");
  base::require(count > 0 && count <= steps_, "RolloutPass::backward: no such number of steps");
  base::require(is_bound(bound_, parameters),
                "RolloutPass::backward with other parameters than forward's");
  check_flat(gradient, plan_->parameters, device_);
  for (std::int64_t t = 0; t < count; ++t) {
    base::require(ran_[static_cast<std::size_t>(t)].output.defined(),
                  "RolloutPass::backward before forward");
  }
  gradient.zero_();
  Tensors into;
  for (std::size_t e = 0; e < leaves_.size(); ++e) {
    into.push_back(entry_view(plan_->parameters, static_cast<int>(e), gradient));
  }
  if (plan_->spec.lstm > 0) return differentiate_cells(count, into);
  differentiate(count, into);
}

}  // namespace tenfold::nn
