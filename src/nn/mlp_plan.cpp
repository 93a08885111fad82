#include "nn/mlp_plan.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "base/error.hpp"

namespace tenfold::nn {

using base::Code;
using base::Error;

namespace {

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

int add_norm(MlpPlan& plan, const std::string& name, std::int64_t width, std::int64_t places = 1) {
  NormPlan norm;
  norm.width = width;
  norm.places = places;
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

void check_conv(const ConvSpec& spec) {
  const auto need = [](bool condition, const std::string& message) {
    if (!condition) throw Error(Code::kUsage, "network: " + message, "Check the network options");
  };
  need(spec.height > 0 && spec.width > 0 && spec.channels > 0, "the pictures are empty");
  need(!spec.filters.empty(), "pictures need at least one convolution");
  need(spec.kernel > 0 && spec.stride > 0, "convolutions need a positive kernel and stride");
  need(spec.padding >= 0 && spec.padding < spec.kernel,
       "the padding of a convolution must be below its kernel");
  for (const std::int64_t filters : spec.filters) {
    need(filters > 0, fmt::format("a convolution of {} filters; it needs at least 1", filters));
  }
}

// below: the extents of what it sees.
ConvPlan add_conv(MlpPlan& plan, const ConvSpec& spec, std::size_t index,
                  const std::array<std::int64_t, 3>& below) {
  ConvPlan conv;
  kernels::ConvGeometry& geometry = conv.geometry;
  geometry = {below[0], below[1], below[2], spec.kernel, spec.stride, spec.padding, 0, 0};
  conv.filters = spec.filters[index];
  const auto extent = [&](std::int64_t size) {
    const std::int64_t room = size + 2 * spec.padding - spec.kernel;
    return room < 0 ? 0 : room / spec.stride + 1;
  };
  geometry.out_height = extent(geometry.height);
  geometry.out_width = extent(geometry.width);
  if (geometry.places() == 0) {
    throw Error(
        Code::kUsage,
        fmt::format("network: convolution {} of {} finds {} x {} pixels, fewer than its "
                    "kernel of {}",
                    index + 1, spec.filters.size(), geometry.height, geometry.width, spec.kernel),
        "Use fewer convolutions, a smaller kernel or stride");
  }
  const double bound = 1.0 / std::sqrt(static_cast<double>(geometry.patch()));
  const std::string name = fmt::format("conv{}", index);
  plan.parameters.add(name + ".weight", {conv.filters, spec.kernel, spec.kernel, geometry.channels},
                      -bound, bound, true);
  conv.weight = last_entry(plan.parameters);
  if (spec.batch_norm) {
    conv.norm = add_norm(plan, fmt::format("conv_norm{}", index), conv.filters, geometry.places());
  } else {
    plan.parameters.add(name + ".bias", {conv.filters}, -bound, bound, false);
    conv.bias = last_entry(plan.parameters);
  }
  return conv;
}

void add_convolutions(MlpPlan& plan, const ConvSpec& spec) {
  std::array<std::int64_t, 3> below{spec.height, spec.width, spec.channels};
  for (std::size_t i = 0; i < spec.filters.size(); ++i) {
    plan.convs.push_back(add_conv(plan, spec, i, below));
    const ConvPlan& conv = plan.convs.back();
    below = {conv.geometry.out_height, conv.geometry.out_width, conv.filters};
  }
  plan.spec.mlp.input = below[0] * below[1] * below[2];
}

}  // namespace

MlpPlan plan_network(const NetworkSpec& spec) {
  MlpPlan plan(spec);
  if (spec.conv) {
    check_conv(*spec.conv);
    if (spec.mlp.batch_norm_input) {
      plan.input_norm =
          add_norm(plan, "input_norm", spec.conv->channels, spec.conv->height * spec.conv->width);
    }
    add_convolutions(plan, *spec.conv);
    check_spec(plan.spec.mlp);
  } else {
    check_spec(spec.mlp);
    if (spec.mlp.batch_norm_input) plan.input_norm = add_norm(plan, "input_norm", spec.mlp.input);
  }
  add_layers(plan, plan.spec.mlp);
  return plan;
}

}  // namespace tenfold::nn
