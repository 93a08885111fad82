#include "nn/mlp_workspace.hpp"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cstdint>

#include "base/error.hpp"
#include "kernels/runtime.hpp"

namespace tenfold::nn {

namespace {

// Shards start at multiples of 256 bytes, so that the matrix library sees every shard alike.
at::Tensor shard_rows(std::int64_t shards, std::int64_t rows, std::int64_t columns,
                      const at::Device& device) {
  constexpr std::int64_t kFloats = 64;
  const std::int64_t pitch = (rows * columns + kFloats - 1) / kFloats * kFloats;
  const at::Tensor memory =
      at::zeros({shards * pitch + kFloats}, at::TensorOptions().dtype(at::kFloat).device(device));
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data_ptr()) / sizeof(float);
  const auto misplaced = static_cast<std::int64_t>(address % static_cast<std::uintptr_t>(kFloats));
  return memory.as_strided({shards, rows, columns}, {pitch, columns, 1},
                           (kFloats - misplaced) % kFloats);
}

std::vector<at::Tensor> per_shard(const at::Tensor& rows) {
  std::vector<at::Tensor> shards;
  for (std::int64_t s = 0; s < rows.size(0); ++s) shards.push_back(rows.select(0, s));
  return shards;
}

std::vector<at::Tensor> per_shard_transposed(const at::Tensor& rows) {
  std::vector<at::Tensor> shards;
  for (std::int64_t s = 0; s < rows.size(0); ++s) shards.push_back(rows.select(0, s).t());
  return shards;
}

const ParameterEntry& entry_of(const ParameterLayout& layout, int index) {
  return layout.entries()[static_cast<std::size_t>(index)];
}

at::Tensor view_of(const ParameterLayout& layout, int index, const at::Tensor& flat) {
  const ParameterEntry& entry = entry_of(layout, index);
  return flat.narrow(0, entry.offset, entry.size).view(entry.shape);
}

// Bound tensors are held, so an address cannot come to mean another tensor's memory.
bool is_bound(const at::Tensor& bound, const at::Tensor& tensor) {
  return bound.defined() && tensor.defined() && bound.data_ptr() == tensor.data_ptr() &&
         bound.sizes() == tensor.sizes() && bound.strides() == tensor.strides();
}

void check_flat(const at::Tensor& flat, const ParameterLayout& layout, const at::Device& device) {
  constexpr std::uintptr_t kAlignment = 64;
  base::require(
      flat.defined() && flat.dim() == 1 && flat.scalar_type() == at::kFloat &&
          flat.is_contiguous() && flat.numel() == layout.flat_size() && flat.device() == device,
      "MlpPass: a flat buffer must be contiguous float32 [flat_size] on the pass's device");
  base::require(reinterpret_cast<std::uintptr_t>(flat.data_ptr()) % kAlignment == 0,
                "MlpPass: a flat buffer must be aligned to 64 bytes");
}

}  // namespace

Workspace::Workspace(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                     const at::Device& device) {
  base::require(shards > 0 && rows > 0, "MlpPass: shards and rows must be positive");
  kernels::check_device(device);
  make_layers(plan, shards, rows, device);
  make_norms(plan, shards, rows, device);
}

void Workspace::make_layers(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                            const at::Device& device) {
  layers.resize(plan.layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerPlan& shape = plan.layers[l];
    layers[l].x = shard_rows(shards, rows, shape.input(), device);
    layers[l].dx = shard_rows(shards, rows, shape.input(), device);
    if (shape.second > 0) {
      second_input = layers[l].x.narrow(2, shape.first, shape.second);
      second_input_gradient = layers[l].dx.narrow(2, shape.first, shape.second);
    }
  }
  const std::int64_t outputs = plan.layers.back().output;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerPlan& shape = plan.layers[l];
    LayerWork& layer = layers[l];
    const bool last = l + 1 == layers.size();
    layer.y = last ? shard_rows(shards, rows, outputs, device)
                   : layers[l + 1].x.narrow(2, 0, shape.output);
    layer.dy = last ? shard_rows(shards, rows, outputs, device)
                    : layers[l + 1].dx.narrow(2, 0, shape.output);
    layer.x_s = per_shard(layer.x);
    layer.y_s = per_shard(layer.y);
    layer.dy_s = per_shard(layer.dy);
    layer.dy_t_s = per_shard_transposed(layer.dy);
    layer.dx_s = per_shard(layer.dx);
    layer.dx_first_s = per_shard(layer.dx.narrow(2, 0, shape.first));
    layer.dx_second_s = per_shard(layer.dx.narrow(2, shape.first, shape.second));
  }
  input = layers[0].x.narrow(2, 0, plan.layers[0].first);
  if (plan.layers.back().activation != kernels::Activation::kIdentity) {
    preactivation = shard_rows(shards, rows, outputs, device);
  }
}

void Workspace::make_norms(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                           const at::Device& device) {
  const auto doubles = at::TensorOptions().dtype(at::kDouble).device(device);
  for (const NormPlan& shape : plan.norms) {
    NormWork norm;
    norm.xhat = shard_rows(shards, rows, shape.width, device);
    norm.sums = at::zeros({shards, 2 * shape.width}, doubles);
    norm.total = at::zeros({2 * shape.width}, doubles);
    norm.sums_plain = norm.sums.narrow(1, 0, shape.width);
    norm.sums_weighted = norm.sums.narrow(1, shape.width, shape.width);
    norm.mean = at::zeros({shape.width}, doubles);
    norm.inv_std = at::zeros({shape.width}, doubles);
    norms.push_back(norm);
  }
  if (plan.input_norm < 0) return;
  normalized_input = input;
  normalized_input_gradient = layers[0].dx.narrow(2, 0, plan.layers[0].first);
  input = shard_rows(shards, rows, plan.layers[0].first, device);
}

void ParameterViews::bind(const MlpPlan& plan, const at::Tensor& flat) {
  if (is_bound(bound_, flat)) return;
  check_flat(flat, plan.parameters, flat.device());
  bound_ = flat;
  layers.clear();
  norms.clear();
  for (const LayerPlan& shape : plan.layers) {
    Layer layer;
    layer.weight = view_of(plan.parameters, shape.weight, flat);
    layer.weight_t = layer.weight.t();
    layer.weight_first = layer.weight.narrow(1, 0, shape.first);
    layer.weight_second = layer.weight.narrow(1, shape.first, shape.second);
    if (shape.bias >= 0) layer.bias = view_of(plan.parameters, shape.bias, flat);
    layers.push_back(layer);
  }
  for (const NormPlan& shape : plan.norms) {
    norms.push_back(
        {view_of(plan.parameters, shape.gamma, flat), view_of(plan.parameters, shape.beta, flat)});
  }
}

void BufferViews::bind(const MlpPlan& plan, const at::Tensor& flat) {
  if (is_bound(bound_, flat)) return;
  check_flat(flat, plan.buffers, flat.device());
  bound_ = flat;
  norms.clear();
  for (const NormPlan& shape : plan.norms) {
    norms.push_back({view_of(plan.buffers, shape.running_mean, flat),
                     view_of(plan.buffers, shape.running_var, flat)});
  }
}

void GradientViews::bind(const MlpPlan& plan, const at::Tensor& gradients, std::int64_t shards) {
  if (is_bound(bound_, gradients)) return;
  base::require(
      gradients.dim() == 2 && gradients.size(0) == shards && gradients.scalar_type() == at::kFloat,
      "MlpPass::backward: gradients must be float32 [S, flat_size]");
  bound_ = gradients;
  layers.clear();
  norms.clear();
  std::vector<at::Tensor> row;
  for (std::int64_t s = 0; s < shards; ++s) {
    row.push_back(gradients.select(0, s));
    check_flat(row.back(), plan.parameters, gradients.device());
  }
  const auto columns = [&](int index) {
    const ParameterEntry& entry = entry_of(plan.parameters, index);
    return gradients.narrow(1, entry.offset, entry.size);
  };
  for (const LayerPlan& shape : plan.layers) {
    Layer layer;
    for (const at::Tensor& flat : row) {
      layer.weight_s.push_back(view_of(plan.parameters, shape.weight, flat));
    }
    if (shape.bias >= 0) layer.bias = columns(shape.bias);
    layers.push_back(layer);
  }
  for (const NormPlan& shape : plan.norms) {
    norms.push_back({columns(shape.gamma), columns(shape.beta)});
  }
  std::vector<std::int64_t> ranges;
  const auto& entries = plan.parameters.entries();
  for (std::size_t e = 0; e < entries.size(); ++e) {
    const std::int64_t end = entries[e].offset + entries[e].size;
    const std::int64_t next =
        e + 1 < entries.size() ? entries[e + 1].offset : plan.parameters.flat_size();
    if (end < next) ranges.insert(ranges.end(), {end, next});
  }
  gaps = at::Tensor();
  if (!ranges.empty()) gaps = at::tensor(ranges).view({-1, 2}).to(gradients.device());
}

}  // namespace tenfold::nn
