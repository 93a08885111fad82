#include "nn/mlp_workspace.hpp"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/error.hpp"
#include "kernels/runtime.hpp"
#include "nn/flat_views.hpp"

namespace tenfold::nn {

namespace {

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

}  // namespace

Workspace::Workspace(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                     const at::Device& device, Gradients wanted) {
  base::require(shards > 0 && rows > 0, "MlpPass: shards and rows must be positive");
  kernels::check_device(device);
  make_layers(plan, shards, rows, device);
  make_norms(plan, shards, rows, device);
  make_input(plan, shards, rows, device, wanted == Gradients::kAll);
  make_convs(plan, shards, rows, device, wanted == Gradients::kAll);
}

void Workspace::make_input(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                           const at::Device& device, bool learns) {
  first = layers[0].x.narrow(2, 0, plan.layers[0].first);
  first_gradient = layers[0].dx.narrow(2, 0, plan.layers[0].first);
  const bool norm = plan.input_norm >= 0;
  if (!plan.spec.conv) {
    input = norm ? group_rows(shards, rows, plan.layers[0].first, device) : first;
    if (norm) normalized_input = first;
    if (norm) normalized_input_gradient = first_gradient;
    return;
  }
  const ConvSpec& conv = *plan.spec.conv;
  input = at::zeros({shards, rows, conv.height, conv.width, conv.channels},
                    at::TensorOptions().dtype(at::kByte).device(device));
  if (!norm) return;
  const std::int64_t pixels = rows * conv.height * conv.width;
  scaled = group_rows(shards, pixels, conv.channels, device);
  normalized_input = group_rows(shards, pixels, conv.channels, device);
  if (learns) normalized_input_gradient = group_rows(shards, pixels, conv.channels, device);
  bytes_s = per_shard(input);
  scaled_s = per_shard(scaled);
}

void Workspace::make_convs(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                           const at::Device& device, bool learns) {
  // Rows of a product: enough for the matrix library, few enough for the cache.
  constexpr std::int64_t kTileRows = 1024;
  at::Tensor below = plan.input_norm >= 0 ? normalized_input : input;
  at::Tensor below_gradient = normalized_input_gradient;
  for (const ConvPlan& shape : plan.convs) {
    const kernels::ConvGeometry& geometry = shape.geometry;
    const std::int64_t places = geometry.places();
    const std::int64_t pixels = geometry.height * geometry.width;
    const std::int64_t step = std::min(rows, std::max<std::int64_t>(1, kTileRows / places));
    const auto scratch = [&] {
      return group_rows(1, step * places, geometry.patch(), device).select(0, 0);
    };
    ConvWork conv;
    conv.y = group_rows(shards, rows * places, shape.filters, device);
    conv.y_rows = conv.y.view({shards, rows, places * shape.filters});
    if (learns) conv.dy = group_rows(shards, rows * places, shape.filters, device);
    if (learns) conv.dy_rows = conv.dy.view(conv.y_rows.sizes());
    const at::Tensor patches = scratch();
    const at::Tensor patches_gradient = learns ? scratch() : at::Tensor();
    for (std::int64_t s = 0; s < shards; ++s) {
      conv.tiles.emplace_back();
      for (std::int64_t row = 0; row < rows; row += step) {
        const std::int64_t n = std::min(step, rows - row);
        const auto of_pictures = [&](const at::Tensor& all) {
          const at::Tensor shard = all.select(0, s);
          const std::int64_t each = shard.dim() == 2 ? pixels : 1;
          return shard.narrow(0, row * each, n * each);
        };
        const auto of_places = [&](const at::Tensor& all) {
          return all.select(0, s).narrow(0, row * places, n * places);
        };
        ConvWork::Tile tile;
        tile.source = of_pictures(below);
        tile.patches = patches.narrow(0, 0, n * places);
        tile.y = of_places(conv.y);
        if (learns) {
          if (below_gradient.defined()) tile.source_gradient = of_pictures(below_gradient);
          tile.patches_gradient = patches_gradient.narrow(0, 0, n * places);
          tile.dy = of_places(conv.dy);
          tile.dy_t = tile.dy.t();
        }
        conv.tiles.back().push_back(tile);
      }
    }
    below = conv.y;
    below_gradient = conv.dy;
    convs.push_back(conv);
  }
}

void Workspace::make_layers(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                            const at::Device& device) {
  layers.resize(plan.layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerPlan& shape = plan.layers[l];
    layers[l].x = group_rows(shards, rows, shape.input(), device);
    layers[l].dx = group_rows(shards, rows, shape.input(), device);
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
    layer.y = last ? group_rows(shards, rows, outputs, device)
                   : layers[l + 1].x.narrow(2, 0, shape.output);
    layer.dy = last ? group_rows(shards, rows, outputs, device)
                    : layers[l + 1].dx.narrow(2, 0, shape.output);
    layer.x_s = per_shard(layer.x);
    layer.y_s = per_shard(layer.y);
    layer.dy_s = per_shard(layer.dy);
    layer.dy_t_s = per_shard_transposed(layer.dy);
    layer.dx_s = per_shard(layer.dx);
    layer.dx_first_s = per_shard(layer.dx.narrow(2, 0, shape.first));
    layer.dx_second_s = per_shard(layer.dx.narrow(2, shape.first, shape.second));
  }
  if (plan.layers.back().activation != kernels::Activation::kIdentity) {
    preactivation = group_rows(shards, rows, outputs, device);
  }
}

void Workspace::make_norms(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                           const at::Device& device) {
  const auto doubles = at::TensorOptions().dtype(at::kDouble).device(device);
  for (const NormPlan& shape : plan.norms) {
    NormWork norm;
    norm.xhat = group_rows(shards, rows * shape.places, shape.width, device);
    norm.sums = at::zeros({shards, 2 * shape.width}, doubles);
    norm.total = at::zeros({2 * shape.width}, doubles);
    norm.sums_plain = norm.sums.narrow(1, 0, shape.width);
    norm.sums_weighted = norm.sums.narrow(1, shape.width, shape.width);
    norm.mean = at::zeros({shape.width}, doubles);
    norm.inv_std = at::zeros({shape.width}, doubles);
    norms.push_back(norm);
  }
  for (const LayerNormPlan& shape : plan.layer_norms) {
    LayerNormWork norm;
    norm.xhat = group_rows(shards, rows, shape.width, device);
    norm.inv_std = at::zeros({shards, rows}, doubles);
    norm.sums = at::zeros({shards, 2 * shape.width}, doubles);
    norm.sums_plain = norm.sums.narrow(1, 0, shape.width);
    norm.sums_weighted = norm.sums.narrow(1, shape.width, shape.width);
    layer_norms.push_back(norm);
  }
}

void ParameterViews::bind(const MlpPlan& plan, const at::Tensor& flat) {
  if (is_bound(bound_, flat)) return;
  check_flat(flat, plan.parameters, flat.device());
  bound_ = flat;
  layers.clear();
  convs.clear();
  norms.clear();
  layer_norms.clear();
  for (const ConvPlan& shape : plan.convs) {
    Conv conv;
    conv.weight = entry_view(plan.parameters, shape.weight, flat).flatten(1);
    conv.weight_t = conv.weight.t();
    if (shape.bias >= 0) conv.bias = entry_view(plan.parameters, shape.bias, flat);
    convs.push_back(conv);
  }
  for (const LayerPlan& shape : plan.layers) {
    Layer layer;
    layer.weight = entry_view(plan.parameters, shape.weight, flat);
    layer.weight_t = layer.weight.t();
    layer.weight_first = layer.weight.narrow(1, 0, shape.first);
    layer.weight_second = layer.weight.narrow(1, shape.first, shape.second);
    if (shape.bias >= 0) layer.bias = entry_view(plan.parameters, shape.bias, flat);
    layers.push_back(layer);
  }
  for (const NormPlan& shape : plan.norms) {
    norms.push_back({entry_view(plan.parameters, shape.gamma, flat),
                     entry_view(plan.parameters, shape.beta, flat)});
  }
  for (const LayerNormPlan& shape : plan.layer_norms) {
    layer_norms.push_back({entry_view(plan.parameters, shape.gamma, flat),
                           entry_view(plan.parameters, shape.beta, flat)});
  }
}

void BufferViews::bind(const MlpPlan& plan, const at::Tensor& flat) {
  if (is_bound(bound_, flat)) return;
  check_flat(flat, plan.buffers, flat.device());
  bound_ = flat;
  norms.clear();
  for (const NormPlan& shape : plan.norms) {
    norms.push_back({entry_view(plan.buffers, shape.running_mean, flat),
                     entry_view(plan.buffers, shape.running_var, flat)});
  }
}

void GradientViews::bind(const MlpPlan& plan, const at::Tensor& gradients, std::int64_t shards) {
  if (is_bound(bound_, gradients)) return;
  check_gradients(gradients, plan.parameters, shards);
  bound_ = gradients;
  layers.clear();
  convs.clear();
  norms.clear();
  layer_norms.clear();
  const auto layer_of = [&](int weight, int bias) {
    Layer layer;
    for (std::int64_t s = 0; s < shards; ++s) {
      layer.weight_s.push_back(
          entry_view(plan.parameters, weight, gradients.select(0, s)).flatten(1));
    }
    if (bias >= 0) layer.bias = entry_columns(plan.parameters, bias, gradients);
    return layer;
  };
  for (const ConvPlan& shape : plan.convs) convs.push_back(layer_of(shape.weight, shape.bias));
  for (const LayerPlan& shape : plan.layers) layers.push_back(layer_of(shape.weight, shape.bias));
  for (const NormPlan& shape : plan.norms) {
    norms.push_back({entry_columns(plan.parameters, shape.gamma, gradients),
                     entry_columns(plan.parameters, shape.beta, gradients)});
  }
  for (const LayerNormPlan& shape : plan.layer_norms) {
    layer_norms.push_back({entry_columns(plan.parameters, shape.gamma, gradients),
                           entry_columns(plan.parameters, shape.beta, gradients)});
  }
  const std::vector<std::int64_t> ranges = padding_ranges(plan.parameters);
  gaps = at::Tensor();
  if (!ranges.empty()) gaps = at::tensor(ranges).view({-1, 2}).to(gradients.device());
}

}  // namespace tenfold::nn
