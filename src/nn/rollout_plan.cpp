#include "nn/rollout_plan.hpp"

#include <cmath>
#include <string>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

void need(bool condition, const std::string& message) {
  if (!condition) {
    throw base::Error(base::Code::kUsage, "network: " + message, "Check the network options");
  }
}

int add_entry(ParameterLayout& layout, const std::string& name, std::vector<std::int64_t> shape,
              std::int64_t fan_in, bool decays) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  layout.add(name, std::move(shape), -bound, bound, decays);
  return static_cast<int>(layout.entries().size()) - 1;
}

// A bias follows each weight: products may read some numbers behind a weight's last row.
RolloutConvPlan add_conv(RolloutPlan& plan, std::size_t index, kernels::ConvGeometry geometry) {
  const RolloutConv::Layer& layer = plan.spec.conv->layers[index];
  const std::string which =
      fmt::format("convolution {} of {}", index + 1, plan.spec.conv->layers.size());
  need(layer.filters > 0,
       fmt::format("filters of {} is {}; it needs at least 1", which, layer.filters));
  need(layer.kernel > 0,
       fmt::format("kernel of {} is {}; it needs at least 1", which, layer.kernel));
  need(layer.stride > 0,
       fmt::format("stride of {} is {}; it needs at least 1", which, layer.stride));
  need(layer.padding >= 0 && layer.padding < layer.kernel,
       fmt::format("padding of {} is {}; it must lie in [0, kernel - 1]", which, layer.padding));
  geometry.kernel = layer.kernel;
  geometry.stride = layer.stride;
  geometry.padding = layer.padding;
  const auto extent = [&](std::int64_t size) {
    const std::int64_t room = size + 2 * layer.padding - layer.kernel;
    return room < 0 ? 0 : room / layer.stride + 1;
  };
  geometry.out_height = extent(geometry.height);
  geometry.out_width = extent(geometry.width);
  need(geometry.places() > 0, fmt::format("{} finds {} x {} pixels, fewer than its kernel of {}",
                                          which, geometry.height, geometry.width, layer.kernel));
  const std::string name = fmt::format("conv{}", index);
  RolloutConvPlan conv{geometry, layer.filters};
  conv.weight = add_entry(plan.parameters, name + ".weight",
                          {layer.kernel, layer.kernel, geometry.channels, layer.filters},
                          geometry.patch(), true);
  conv.bias = add_entry(plan.parameters, name + ".bias", {layer.filters}, geometry.patch(), false);
  return conv;
}

std::int64_t add_convolutions(RolloutPlan& plan) {
  const RolloutConv& spec = *plan.spec.conv;
  need(spec.height > 0 && spec.width > 0 && spec.channels > 0,
       fmt::format("height, width and channels of pictures are {}, {} and {}; all must be positive",
                   spec.height, spec.width, spec.channels));
  need(!spec.layers.empty(), "pictures need at least one convolution");
  kernels::ConvGeometry below{spec.height, spec.width, spec.channels};
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    plan.convs.push_back(add_conv(plan, i, below));
    const RolloutConvPlan& conv = plan.convs.back();
    below = {conv.geometry.out_height, conv.geometry.out_width, conv.filters};
  }
  return plan.convs.back().output();
}

RolloutLayerPlan add_layer(RolloutPlan& plan, const std::string& name, std::int64_t input,
                           std::int64_t recurrent, std::int64_t output,
                           kernels::Activation activation, bool decays) {
  RolloutLayerPlan layer{input, output, activation};
  const std::int64_t rows = input + recurrent;
  layer.weight = add_entry(plan.parameters, name + ".weight", {rows, output}, rows, decays);
  layer.bias = add_entry(plan.parameters, name + ".bias", {output}, rows, false);
  return layer;
}

}  // namespace

RolloutPlan plan_rollout(const RolloutSpec& spec) {
  RolloutPlan plan;
  plan.spec = spec;
  need(spec.conv || spec.input > 0,
       fmt::format("input is {}; it needs at least 1 number", spec.input));
  need(spec.output > 0, fmt::format("output is {}; it needs at least 1 number", spec.output));
  need(spec.lstm >= 0, fmt::format("lstm is {}; it cannot be negative", spec.lstm));
  std::int64_t width = spec.conv ? add_convolutions(plan) : spec.input;
  plan.observation =
      spec.conv ? spec.conv->height * spec.conv->width * spec.conv->channels : spec.input;
  for (std::size_t l = 0; l < spec.hidden.size(); ++l) {
    need(spec.hidden[l] > 0,
         fmt::format("hidden layer {} has {} units; it needs at least 1", l + 1, spec.hidden[l]));
    plan.layers.push_back(add_layer(plan, fmt::format("layer{}", l), width, 0, spec.hidden[l],
                                    spec.hidden_activation, true));
    width = spec.hidden[l];
  }
  if (spec.lstm > 0) {
    plan.lstm = add_layer(plan, "lstm", width, spec.lstm, 4 * spec.lstm,
                          kernels::Activation::kIdentity, true);
    width = spec.lstm;
  }
  plan.head =
      add_layer(plan, "output", width, 0, spec.output, kernels::Activation::kIdentity, false);
  return plan;
}

}  // namespace tenfold::nn
