#include "nn/transformer/lora.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "nn/initialize.hpp"

namespace tenfold::nn {

namespace {

std::size_t entry_named(const ParameterLayout& layout, const std::string& name) {
  const auto& entries = layout.entries();
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const ParameterEntry& entry) { return entry.name == name; });
  base::require(found != entries.end(), "Lora: the model has no " + name);
  return static_cast<std::size_t>(found - entries.begin());
}

at::Tensor matrix_of(const ParameterLayout& layout, std::size_t index, const at::Tensor& flat) {
  const ParameterEntry& entry = layout.entries()[index];
  return flat.narrow(0, entry.offset, entry.size).view(entry.shape);
}

}  // namespace

at::Tensor LowRank::added(const at::Tensor& y, const at::Tensor& x) const {
  if (!a.defined()) return y;
  const at::Tensor low = at::linear(x, a) * scale;
  const std::int64_t rank = parts[0].b.size(1);
  std::vector<at::Tensor> pieces;
  std::int64_t done = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [column, b] = parts[i];
    if (column > done) pieces.push_back(y.narrow(-1, done, column - done));
    const at::Tensor own = low.narrow(-1, static_cast<std::int64_t>(i) * rank, rank);
    pieces.push_back(y.narrow(-1, column, b.size(0)) + at::linear(own, b));
    done = column + b.size(0);
  }
  if (done < y.size(-1)) pieces.push_back(y.narrow(-1, done, y.size(-1) - done));
  return pieces.size() == 1 ? pieces[0] : at::cat(pieces, -1);
}

Lora::Lora(const Transformer& model, LoraConfig config)
    : model_(&model), config_(std::move(config)) {
  const TransformerFamily family = model.config().family;
  config_.validate(family);
  const bool llama = family == TransformerFamily::kLlama;
  for (std::int64_t i = 0; i < model.config().layers; ++i) {
    const std::string layer = fmt::format("{}{}.", llama ? "model.layers." : "transformer.h.", i);
    for (const auto& modules : adaptable_modules(family)) lay_out(layer, modules);
  }
}

void Lora::lay_out(const std::string& layer, const std::vector<std::string>& modules) {
  const bool llama = model_->config().family == TransformerFamily::kLlama;
  const auto& matrices = model_->parameters().entries();
  // Of a matrix [out, in], or [in, out] as GPT-2 has it.
  const auto in = [&](const Adapter& adapter) {
    return matrices[adapter.matrix].shape[llama ? 1 : 0];
  };
  const auto out = [&](const Adapter& adapter) {
    return matrices[adapter.matrix].shape[llama ? 0 : 1];
  };
  Group group;
  std::vector<std::string> names;
  std::int64_t column = 0;
  for (const std::string& module : modules) {
    Adapter adapter{entry_named(model_->parameters(), layer + module + ".weight"), 0, 0, column};
    column += out(adapter);
    if (!config_.adapts(module)) continue;
    adapter.a = parameters_.entries().size();
    const std::string name = "base_model.model." + layer + module;
    const double bound = 1 / std::sqrt(static_cast<double>(in(adapter)));
    const auto add = group.empty() ? &ParameterLayout::add : &ParameterLayout::add_adjacent;
    (parameters_.*add)(name + ".lora_A.weight", {config_.rank, in(adapter)}, -bound, bound, true);
    names.push_back(name);
    group.push_back(adapter);
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i].b = parameters_.entries().size();
    parameters_.add(names[i] + ".lora_B.weight", {out(group[i]), config_.rank}, 0, 0, true);
  }
  groups_.push_back(std::move(group));
}

void Lora::initialize(const at::Tensor& flat, std::uint32_t seed) const {
  initialize_flat(flat, parameters_, seed, 1);
}

void Lora::merge(const at::Tensor& adapters, const at::Tensor& flat) const {
  base::require(adapters.numel() == parameters_.flat_size() &&
                    flat.numel() == model_->parameters().flat_size(),
                "Lora: buffers must be [flat_size]");
  const at::NoGradGuard none;
  const bool llama = model_->config().family == TransformerFamily::kLlama;
  for (const Group& group : groups_) {
    for (const Adapter& adapter : group) {
      const at::Tensor change = at::matmul(matrix_of(parameters_, adapter.b, adapters),
                                           matrix_of(parameters_, adapter.a, adapters));
      matrix_of(model_->parameters(), adapter.matrix, flat)
          .add_(llama ? change : change.t(), config_.scale());
    }
  }
}

std::vector<LowRank> Lora::low_ranks(const at::Tensor& adapters, const at::Tensor& gradient) const {
  std::vector<LowRank> all;
  for (const Group& group : groups_) {
    LowRank low;
    low.scale = config_.scale();
    if (!group.empty()) {
      low.a = parameter_leaf(parameters_, group[0].a, group.size(), adapters, gradient);
    }
    for (const Adapter& adapter : group) {
      low.parts.push_back(
          {adapter.column, parameter_leaf(parameters_, adapter.b, 1, adapters, gradient)});
    }
    all.push_back(std::move(low));
  }
  return all;
}

}  // namespace tenfold::nn
