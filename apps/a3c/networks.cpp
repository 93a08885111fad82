#include "a3c/networks.hpp"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::a3c {

using base::Code;
using base::Error;

namespace {

Head head_for(const Config& config, const env::Spec& spec) {
  const bool values = method_of(config.method) != Method::kActorCritic;
  if (values && spec.choices == 0) {
    throw Error(Code::kUsage,
                fmt::format("--method {} needs actions to choose from, those of {} are continuous",
                            config.method, base::printable(spec.name)),
                "Use --method a3c, or another task");
  }
  if (values) return Head::kQ;
  return spec.choices > 0 ? Head::kSoftmax : Head::kGaussian;
}

std::vector<nn::RolloutConv::Layer> conv_layers(const std::string& name) {
  if (name == "grid") return {{16, 3, 1, 0}};
  if (name == "dqn13") return {{16, 8, 4, 0}, {32, 4, 2, 0}};
  return {{32, 8, 4, 0}, {64, 4, 2, 0}, {64, 3, 1, 0}};
}

nn::RolloutSpec network_spec(const Config& config, const env::Spec& spec, std::int64_t output) {
  const auto& [height, width, channels] = spec.picture;
  const bool bytes = spec.observation_size == 0;
  if (bytes && config.conv == "none") {
    throw Error(Code::kUsage,
                fmt::format("{} shows pictures of {} x {} bytes: they need convolutions",
                            base::printable(spec.name), height, width),
                "Use --conv dqn13, dqn15 or grid");
  }
  if (config.conv != "none" && height == 0) {
    throw Error(Code::kUsage,
                fmt::format("--conv {} needs pictures, {} shows {} numbers", config.conv,
                            base::printable(spec.name), spec.observation_size),
                "Use --conv none");
  }
  nn::RolloutSpec net;
  net.input = static_cast<std::int64_t>(spec.observation_size);
  net.hidden = config.net;
  net.lstm = config.lstm;
  net.forget_bias = config.forget_bias;
  net.output = output;
  if (config.conv != "none") {
    net.input = 0;
    net.conv = {height, width, channels, bytes, conv_layers(config.conv)};
  }
  return net;
}

nn::RolloutEngine engine_of(const std::string& word, const at::Device& device) {
  const bool torch = word == "torch" || (word == "auto" && !device.is_cpu());
  return torch ? nn::RolloutEngine::kTorch : nn::RolloutEngine::kFused;
}

}  // namespace

Networks::Networks(const Config& config, const env::Spec& spec, const at::Device& device)
    : head_(head_for(config, spec)),
      actions_(spec.choices > 0 ? spec.choices : static_cast<std::int64_t>(spec.action_size)),
      lstm_(config.lstm) {
  const auto add = [&](const std::string& name, std::int64_t output) {
    nets_.push_back(
        make_rollout_network(network_spec(config, spec, output), engine_of(config.engine, device)));
    for (const nn::ParameterEntry& each : nets_.back()->parameters().entries()) {
      layout_.add(name + each.name, each.shape, each.init_low, each.init_high, each.decays);
    }
  };
  switch (head_) {
    case Head::kQ:
      add("q/", actions_);
      break;
    case Head::kSoftmax:
      add("policy_value/", actions_ + 1);
      break;
    case Head::kGaussian:
      add("policy/", actions_ + 1);
      add("value/", 1);
      break;
  }
}

at::Tensor Networks::initial_parameters(std::uint32_t seed) const {
  at::Tensor flat = at::zeros({layout_.flat_size()}, at::kFloat);
  std::int64_t offset = 0;
  std::uint32_t index = 0;
  for (const auto& net : nets_) {
    const std::int64_t size = net->parameters().flat_size();
    net->initialize(flat.narrow(0, offset, size), seed, index++);
    offset += size;
  }
  return flat;
}

Passes::Passes(const Networks& networks, std::int64_t steps, std::int64_t rows,
               const at::Device& device, bool gradients)
    : head_(networks.head_),
      rows_(rows),
      actions_(networks.actions_),
      lstm_(networks.lstm_),
      policy_width_(static_cast<std::size_t>(networks.actions_ + (head_ == Head::kQ ? 0 : 1))),
      device_(device) {
  std::int64_t offset = 0;
  for (const auto& net : networks.nets_) {
    passes_.push_back(net->make_pass(steps, rows, device, gradients));
    offsets_.push_back(offset);
    sizes_.push_back(net->parameters().flat_size());
    offset += sizes_.back();
  }
  base::require(offset == networks.layout_.flat_size(), "networks lie apart in their flat buffer");
}

void Passes::observe(std::int64_t t, const env::BatchEnv& envs) {
  for (const auto& pass : passes_) {
    if (const auto frames = pass->frames(t); !frames.empty()) {
      std::copy_n(envs.frames().begin(), frames.size(), frames.begin());
    } else {
      const std::span<float> input = pass->input(t);
      std::copy_n(envs.observations().begin(), input.size(), input.begin());
    }
  }
}

void Passes::observe_row(std::int64_t t, const env::BatchEnv& envs, std::size_t row) {
  base::require(rows_ == 1, "a pass of several rows observes them all");
  for (const auto& pass : passes_) {
    if (const auto frames = pass->frames(t); !frames.empty()) {
      std::copy_n(envs.frames().subspan(row * frames.size()).begin(), frames.size(),
                  frames.begin());
    } else {
      const std::span<float> input = pass->input(t);
      std::copy_n(envs.observations().subspan(row * input.size()).begin(), input.size(),
                  input.begin());
    }
  }
}

void Passes::set_row_state(std::int64_t t, std::size_t row, std::span<const float> state) {
  const auto width = static_cast<std::size_t>(2 * lstm_);
  for (std::size_t net = 0; net < passes_.size(); ++net) {
    std::copy_n(state.begin() + static_cast<std::ptrdiff_t>(net * width), width,
                passes_[net]->state(t).subspan(row * width).begin());
  }
}

void Passes::get_row_state(std::int64_t t, std::size_t row, std::span<float> state) const {
  const auto width = static_cast<std::size_t>(2 * lstm_);
  for (std::size_t net = 0; net < passes_.size(); ++net) {
    std::copy_n(passes_[net]->state(t).subspan(row * width).begin(), width,
                state.begin() + static_cast<std::ptrdiff_t>(net * width));
  }
}

void Passes::set_states(std::int64_t t, std::span<const float> states) {
  if (lstm_ == 0) return;
  const std::size_t width = states.size() / static_cast<std::size_t>(rows_);
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows_); ++row) {
    set_row_state(t, row, states.subspan(row * width, width));
  }
}

void Passes::get_states(std::int64_t t, std::span<float> states) const {
  if (lstm_ == 0) return;
  const std::size_t width = states.size() / static_cast<std::size_t>(rows_);
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows_); ++row) {
    get_row_state(t, row, states.subspan(row * width, width));
  }
}

void Passes::begin_row(std::int64_t t, std::size_t row) {
  if (lstm_ == 0) return;
  const auto width = static_cast<std::size_t>(2 * lstm_);
  for (const auto& pass : passes_) {
    std::fill_n(pass->state(t).subspan(row * width).begin(), width, 0.0F);
    pass->begins(t)[row] = 1;
  }
}

void Passes::clear_begins() {
  if (lstm_ == 0) return;
  for (const auto& pass : passes_) {
    for (std::int64_t t = 0; t < pass->steps(); ++t) {
      const std::span<std::uint8_t> begins = pass->begins(t);
      std::fill(begins.begin(), begins.end(), std::uint8_t{0});
    }
  }
}

// Views are made again only for another tensor.
void Passes::bind(const at::Tensor& flat, Bound& bound) const {
  if (bound.host.is_same(flat)) return;
  bound.host = flat;
  bound.flat = device_.is_cpu() ? flat : at::empty_like(flat, flat.options().device(device_));
  bound.views.clear();
  for (std::size_t net = 0; net < passes_.size(); ++net) {
    bound.views.push_back(bound.flat.narrow(0, offsets_[net], sizes_[net]));
  }
}

void Passes::forward(std::int64_t t, const at::Tensor& parameters) {
  const bool another = !parameters_.host.is_same(parameters);
  bind(parameters, parameters_);
  if (!device_.is_cpu() && (another || stale_)) parameters_.flat.copy_(parameters);
  stale_ = false;
  for (std::size_t net = 0; net < passes_.size(); ++net) {
    passes_[net]->forward(t, parameters_.views[net]);
  }
}

std::span<const float> Passes::outputs(std::int64_t t, std::size_t row) const {
  const std::size_t width = policy_width_;
  const std::size_t used = head_ == Head::kSoftmax ? width - 1 : width;
  return passes_.front()->output(t).subspan(row * width, used);
}

float Passes::value(std::int64_t t, std::size_t row) const {
  if (head_ == Head::kGaussian) return passes_.back()->output(t)[row];
  return passes_.front()->output(t)[row * policy_width_ + policy_width_ - 1];
}

std::span<float> Passes::output_gradient(std::int64_t t, std::size_t row) {
  const std::size_t width = policy_width_;
  const std::size_t used = head_ == Head::kSoftmax ? width - 1 : width;
  return passes_.front()->output_gradient(t).subspan(row * width, used);
}

float& Passes::value_gradient(std::int64_t t, std::size_t row) {
  if (head_ == Head::kGaussian) return passes_.back()->output_gradient(t)[row];
  return passes_.front()->output_gradient(t)[row * policy_width_ + policy_width_ - 1];
}

void Passes::backward(std::int64_t count, const at::Tensor& parameters,
                      const at::Tensor& gradient) {
  bind(parameters, parameters_);
  bind(gradient, gradient_);
  for (std::size_t net = 0; net < passes_.size(); ++net) {
    passes_[net]->backward(count, parameters_.views[net], gradient_.views[net]);
  }
  if (!device_.is_cpu()) gradient.copy_(gradient_.flat);
}

}  // namespace tenfold::a3c
