#include "nn/mlp.hpp"

#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "nn/mlp_plan.hpp"

namespace tenfold::nn {

using base::Code;
using base::Error;

void check_spec(const MlpSpec& spec) {
  const auto need = [](bool condition, const std::string& message) {
    if (!condition) throw Error(Code::kUsage, "network: " + message, "Check the network options");
  };
  need(spec.input > 0 && spec.output > 0, "the numbers of inputs and outputs must be positive");
  for (const std::int64_t width : spec.hidden) {
    need(width > 0, fmt::format("a hidden layer of {} units; it needs at least 1", width));
  }
  const auto layers = static_cast<std::int64_t>(spec.hidden.size()) + 1;
  need(spec.second_input >= 0, "the width of the second input is negative");
  need(spec.second_input == 0 || (spec.second_layer >= 1 && spec.second_layer <= layers),
       fmt::format("the second input cannot enter at layer {} of {}", spec.second_layer, layers));
  need(spec.batch_norm_hidden >= 0 && spec.batch_norm_hidden < layers,
       fmt::format("batch norm on {} of {} hidden layers", spec.batch_norm_hidden, layers - 1));
  need(spec.batch_norm_eps > 0, "the epsilon of batch norm must be positive");
  need(spec.batch_norm_momentum >= 0 && spec.batch_norm_momentum <= 1,
       "the momentum of batch norm must lie in [0, 1]");
  need(spec.layer_norm_hidden >= 0 && spec.layer_norm_hidden < layers,
       fmt::format("layer norm on {} of {} hidden layers", spec.layer_norm_hidden, layers - 1));
  need(spec.layer_norm_hidden == 0 || spec.batch_norm_hidden == 0,
       "batch norm and layer norm on the same layer");
  need(spec.layer_norm_eps > 0, "the epsilon of layer norm must be positive");
  need(spec.final_init_bound >= 0, "the bound of the last layer's start values is negative");
}

int last_entry(const ParameterLayout& layout) {
  return static_cast<int>(layout.entries().size()) - 1;
}

int add_norm(MlpPlan& plan, const std::string& name, std::int64_t width) {
  NormPlan norm;
  norm.width = width;
  plan.parameters.add(name + ".weight", {width}, 1, 1, false);
  norm.gamma = last_entry(plan.parameters);
  plan.parameters.add(name + ".bias", {width}, 0, 0, false);
  norm.beta = last_entry(plan.parameters);
  plan.buffers.add(name + ".running_mean", {width}, 0, 0, false);
  norm.running_mean = last_entry(plan.buffers);
  plan.buffers.add(name + ".running_var", {width}, 1, 1, false);
  norm.running_var = last_entry(plan.buffers);
  plan.norms.push_back(norm);
  return static_cast<int>(plan.norms.size()) - 1;
}

namespace {

int add_layer_norm(MlpPlan& plan, const std::string& name, std::int64_t width) {
  LayerNormPlan norm;
  norm.width = width;
  plan.parameters.add(name + ".weight", {width}, 1, 1, false);
  norm.gamma = last_entry(plan.parameters);
  plan.parameters.add(name + ".bias", {width}, 0, 0, false);
  norm.beta = last_entry(plan.parameters);
  plan.layer_norms.push_back(norm);
  return static_cast<int>(plan.layer_norms.size()) - 1;
}

}  // namespace

void add_layers(MlpPlan& plan, const MlpSpec& spec) {
  const std::size_t count = spec.hidden.size() + 1;
  for (std::size_t l = 0; l < count; ++l) {
    const bool last = l + 1 == count;
    LayerPlan layer;
    layer.first = l == 0 ? spec.input : spec.hidden[l - 1];
    layer.second = static_cast<std::int64_t>(l) + 1 == spec.second_layer ? spec.second_input : 0;
    layer.output = last ? spec.output : spec.hidden[l];
    layer.activation = last ? spec.output_activation : spec.hidden_activation;
    const double bound = last && spec.final_init_bound > 0
                             ? spec.final_init_bound
                             : 1.0 / std::sqrt(static_cast<double>(layer.input()));
    const std::string name = fmt::format("layer{}", l);
    plan.parameters.add(name + ".weight", {layer.output, layer.input()}, -bound, bound, !last);
    layer.weight = last_entry(plan.parameters);
    if (!last && static_cast<std::int64_t>(l) < spec.batch_norm_hidden) {
      layer.norm = add_norm(plan, fmt::format("norm{}", l), layer.output);
    } else {
      plan.parameters.add(name + ".bias", {layer.output}, -bound, bound, false);
      layer.bias = last_entry(plan.parameters);
    }
    if (!last && static_cast<std::int64_t>(l) < spec.layer_norm_hidden) {
      layer.layer_norm = add_layer_norm(plan, fmt::format("layer_norm{}", l), layer.output);
    }
    plan.layers.push_back(layer);
  }
}

MlpPlan plan_mlp(const MlpSpec& spec) {
  check_spec(spec);
  MlpPlan plan;
  if (spec.batch_norm_input) plan.input_norm = add_norm(plan, "input_norm", spec.input);
  add_layers(plan, spec);
  return plan;
}

Mlp::Mlp(MlpSpec spec) : spec_(std::move(spec)) {
  MlpPlan plan = plan_mlp(spec_);
  set_layouts(std::move(plan.parameters), std::move(plan.buffers));
}

std::unique_ptr<NetworkPass> Mlp::make_pass(std::int64_t groups, std::int64_t rows,
                                            const at::Device& device, Gradients /*wanted*/) const {
  return std::make_unique<MlpPass>(*this, groups, rows, device);
}

}  // namespace tenfold::nn
