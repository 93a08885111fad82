#include "nn/torch_network.hpp"

#include <cmath>

#include "base/error.hpp"
#include "nn/torch_pass.hpp"
#include "nn/torch_plan.hpp"

namespace tenfold::nn {

using base::Code;
using base::Error;

namespace {

void check_conv(const ConvSpec& spec) {
  const auto need = [](bool condition, const std::string& message) {
    if (!condition) throw Error(Code::kUsage, "network: " + message, "Check the network options");
  };
  need(spec.height > 0 && spec.width > 0 && spec.channels > 0, "the pictures are empty");
  need(!spec.filters.empty(), "pictures need at least one convolution");
  need(spec.kernel > 0 && spec.stride > 0 && spec.padding >= 0,
       "convolutions need a positive kernel and stride");
  for (const std::int64_t filters : spec.filters) {
    need(filters > 0, fmt::format("a convolution of {} filters; it needs at least 1", filters));
  }
}

ConvPlan add_conv(MlpPlan& plan, const ConvSpec& spec, std::size_t index, const ConvPlan& below) {
  ConvPlan conv;
  conv.channels = below.filters;
  conv.filters = spec.filters[index];
  const auto extent = [&](std::int64_t size) {
    const std::int64_t room = size + 2 * spec.padding - spec.kernel;
    return room < 0 ? 0 : room / spec.stride + 1;
  };
  conv.height = extent(below.height);
  conv.width = extent(below.width);
  if (conv.height == 0 || conv.width == 0) {
    throw Error(Code::kUsage,
                fmt::format("network: convolution {} of {} finds {} x {} pixels, fewer than its "
                            "kernel of {}",
                            index + 1, spec.filters.size(), below.height, below.width, spec.kernel),
                "Use fewer convolutions, a smaller kernel or stride");
  }
  const double fan_in = static_cast<double>(conv.channels * spec.kernel * spec.kernel);
  const double bound = 1.0 / std::sqrt(fan_in);
  const std::string name = fmt::format("conv{}", index);
  plan.parameters.add(name + ".weight", {conv.filters, conv.channels, spec.kernel, spec.kernel},
                      -bound, bound, true);
  conv.weight = last_entry(plan.parameters);
  if (spec.batch_norm) {
    conv.norm = add_norm(plan, fmt::format("conv_norm{}", index), conv.filters);
  } else {
    plan.parameters.add(name + ".bias", {conv.filters}, -bound, bound, false);
    conv.bias = last_entry(plan.parameters);
  }
  return conv;
}

std::shared_ptr<const TorchPlan> make_plan(const TorchSpec& spec) {
  auto plan = std::make_shared<TorchPlan>();
  plan->spec = spec;
  if (!spec.conv) {
    plan->mlp = plan_mlp(spec.mlp);
    return plan;
  }
  const ConvSpec& conv = *spec.conv;
  check_conv(conv);
  if (spec.mlp.batch_norm_input) {
    plan->mlp.input_norm = add_norm(plan->mlp, "input_norm", conv.channels);
  }
  ConvPlan below{conv.channels, conv.channels, conv.height, conv.width};
  for (std::size_t i = 0; i < conv.filters.size(); ++i) {
    below = add_conv(plan->mlp, conv, i, below);
    plan->convs.push_back(below);
  }
  plan->spec.mlp.input = below.filters * below.height * below.width;
  check_spec(plan->spec.mlp);
  add_layers(plan->mlp, plan->spec.mlp);
  return plan;
}

}  // namespace

TorchNetwork::TorchNetwork(const TorchSpec& spec) : plan_(make_plan(spec)) {
  set_layouts(plan_->mlp.parameters, plan_->mlp.buffers);
}

std::unique_ptr<NetworkPass> TorchNetwork::make_pass(std::int64_t groups, std::int64_t rows,
                                                     const at::Device& device,
                                                     Gradients wanted) const {
  return std::make_unique<TorchPass>(plan_, groups, rows, device, wanted);
}

}  // namespace tenfold::nn
