#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/embedding_dense_backward.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "base/error.hpp"
#include "nn/transformer/gradient_sink.hpp"
#include "nn/transformer/lora.hpp"
#include "nn/transformer/recomputed.hpp"
#include "nn/transformer/token_loss.hpp"
#include "nn/transformer/transformer.hpp"

namespace tenfold::nn {

namespace {

// Half-split rotation (pair i with i + d / 2) of x [B, H, L, D]; cosine, sine: [B, 1, L, D / 2].
at::Tensor rotated(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine) {
  const std::vector<at::Tensor> half = x.chunk(2, -1);
  return at::cat({half[0] * cosine - half[1] * sine, half[1] * cosine + half[0] * sine}, -1);
}

// Hugging Face's Conv1D: x [..., in] times weight [in, out], plus bias.
at::Tensor conv1d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  std::vector<std::int64_t> shape(x.sizes().begin(), x.sizes().end());
  shape.back() = weight.size(1);
  return at::addmm(bias, x.reshape({-1, weight.size(0)}), weight).view(shape);
}

// What a token's, or a position's, row of weight is. Of a weight in half precision whose gradient
// is float32, rows' gradients are summed in float32: a token that comes a thousand times in a batch
// would lose most of them in bfloat16's 8 bits.
at::Tensor embedded(const at::Tensor& weight, const at::Tensor& gradient, const at::Tensor& index) {
  if (!gradient.defined() || !at::GradMode::is_enabled()) return at::embedding(weight, index);
  return with_sink(at::embedding(weight.detach(), index),
                   [gradient, index](const at::Tensor& rows) {
                     gradient.add_(at::embedding_dense_backward(
                         rows.to(gradient.scalar_type()), index, gradient.size(0), -1, false));
                   });
}

void check_buffers(const ParameterLayout& layout, const at::Tensor& flat,
                   const at::Tensor& gradient) {
  base::require(flat.dim() == 1 && flat.is_contiguous() && flat.numel() == layout.flat_size(),
                "TransformerWeights: parameters must be contiguous, [flat_size]");
  base::require(!gradient.defined() || (gradient.sizes() == flat.sizes() &&
                                        (gradient.scalar_type() == flat.scalar_type() ||
                                         gradient.scalar_type() == at::kFloat)),
                "TransformerWeights: gradients must be as the parameters, or float32");
}

}  // namespace

at::Tensor parameter_leaf(const ParameterLayout& layout, std::size_t first, std::size_t count,
                          const at::Tensor& flat, const at::Tensor& gradient) {
  const auto& entries = layout.entries();
  const ParameterEntry& entry = entries[first];
  std::int64_t size = 0;
  for (std::size_t e = first; e < first + count; ++e) {
    base::require(entries[e].offset == entry.offset + size,
                  "parameter_leaf: parameters of one product must lie together");
    size += entries[e].size;
  }
  std::vector<std::int64_t> shape = entry.shape;
  if (count > 1) shape = {size / entry.shape[1], entry.shape[1]};
  at::Tensor view = flat.narrow(0, entry.offset, size).view(shape).detach();
  if (!gradient.defined()) return view;
  const at::Tensor part = gradient.narrow(0, entry.offset, size).view(shape);
  if (part.scalar_type() != view.scalar_type()) {
    return with_sink(view, [part](const at::Tensor& more) { part.add_(more); });
  }
  view.requires_grad_(true);
  view.mutable_grad() = part;
  return view;
}

TokenBlock causal_block(const at::Tensor& tokens, const at::Tensor& lengths,
                        const TransformerConfig& config) {
  base::require(tokens.dim() == 2 && lengths.dim() == 1 && lengths.size(0) == tokens.size(0),
                "causal_block: tokens must be [B, L], lengths [B]");
  const std::int64_t length = tokens.size(1);
  const at::Tensor at = at::arange(length, tokens.options());
  const at::Tensor query = at.unsqueeze(1);
  at::Tensor causal = at.le(query);
  if (config.sliding_window) causal = causal & at.gt(query - *config.sliding_window);
  const at::Tensor inside = at.lt(lengths.to(tokens.device()).unsqueeze(1));  // [B, L]
  const at::Tensor self = at::eye(length, tokens.options().dtype(at::kBool));
  return {tokens, at.expand_as(tokens),
          (causal & inside.unsqueeze(1) & inside.unsqueeze(2)) | self};
}

TransformerWeights::TransformerWeights(const Transformer& model, const at::Tensor& flat,
                                       const at::Tensor& gradient, const LoraParameters& adapters)
    : model_(&model) {
  check_buffers(model.parameters(), flat, gradient);
  const TransformerConfig& config = model.config();
  std::size_t next = 0;
  const auto take = [&](std::size_t count = 1) {
    next += count;
    return parameter_leaf(model.parameters(), next - count, count, flat, gradient);
  };
  const bool apart = gradient.defined() && gradient.scalar_type() != flat.scalar_type();
  const auto gradient_of = [&](std::size_t entry) {
    return apart ? parameter_leaf(model.parameters(), entry, 1, gradient, {}) : at::Tensor();
  };
  embedding_ = take();
  embedding_gradient_ = gradient_of(0);
  const bool gpt2 = config.family == TransformerFamily::kGpt2;
  if (gpt2) {
    position_embedding_ = take();
    position_gradient_ = gradient_of(1);
  }
  for (std::int64_t i = 0; i < config.layers; ++i) {
    Layer layer;
    layer.norm1 = take();
    if (gpt2) layer.norm1_bias = take();
    layer.qkv = take(gpt2 ? 1 : 3);
    if (gpt2) layer.qkv_bias = take();
    layer.out = take();
    if (gpt2) layer.out_bias = take();
    layer.norm2 = take();
    if (gpt2) layer.norm2_bias = take();
    layer.up = take(gpt2 ? 1 : 2);
    if (gpt2) layer.up_bias = take();
    layer.down = take();
    if (gpt2) layer.down_bias = take();
    layers_.push_back(std::move(layer));
  }
  last_norm_ = take();
  if (gpt2) last_norm_bias_ = take();
  head_ = config.tied_embeddings ? embedding_ : take();
  if (!gpt2) {
    frequencies_ =
        at::tensor(model.rotary_frequencies(), at::kDouble).to(flat.device(), at::kFloat);
  }
  if (adapters.lora != nullptr) adapt(adapters);
}

void TransformerWeights::adapt(const LoraParameters& adapters) {
  base::require(&adapters.lora->model() == model_, "TransformerWeights: another model's adapters");
  check_buffers(adapters.lora->parameters(), adapters.flat, adapters.gradient);
  base::require(adapters.flat.scalar_type() == embedding_.scalar_type(),
                "TransformerWeights: adapters must be of the parameters' type");
  std::vector<LowRank> all = adapters.lora->low_ranks(adapters.flat, adapters.gradient);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    layer.qkv_change = std::move(all[4 * i]);
    layer.out_change = std::move(all[4 * i + 1]);
    layer.up_change = std::move(all[4 * i + 2]);
    layer.down_change = std::move(all[4 * i + 3]);
  }
}

at::Tensor TransformerWeights::norm(const at::Tensor& x, const at::Tensor& weight,
                                    const at::Tensor& bias) const {
  const double epsilon = model_->config().norm_epsilon;
  if (bias.defined()) return at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
  if (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) {
    return at::rms_norm(x, {x.size(-1)}, weight, epsilon);
  }
  // Half precision: normalised in float32, rounded, and only then multiplied.
  return at::rms_norm(x.to(at::kFloat), {x.size(-1)}, {}, epsilon).to(x.scalar_type()) * weight;
}

at::Tensor TransformerWeights::attention(std::int64_t number, const at::Tensor& x,
                                         const at::Tensor& cosine, const at::Tensor& sine,
                                         const Attend& attend) const {
  const Layer& layer = layers_[static_cast<std::size_t>(number)];
  const TransformerConfig& c = model_->config();
  const bool gpt2 = c.family == TransformerFamily::kGpt2;
  const at::Tensor qkv = layer.qkv_change.added(
      gpt2 ? conv1d(x, layer.qkv, layer.qkv_bias) : at::linear(x, layer.qkv), x);
  const auto heads = [&](std::int64_t first, std::int64_t count) {
    return qkv.narrow(-1, first, count * c.head_width)
        .view({x.size(0), x.size(1), count, c.head_width})
        .transpose(1, 2);
  };
  at::Tensor query = heads(0, c.heads);
  at::Tensor key = heads(c.query_columns(), c.kv_heads);
  const at::Tensor value = heads(c.query_columns() + c.key_columns(), c.kv_heads);
  if (!gpt2) {
    query = rotated(query, cosine, sine);
    key = rotated(key, cosine, sine);
  }
  const at::Tensor mixed = attend(number, query, key, value)
                               .transpose(1, 2)
                               .reshape({x.size(0), x.size(1), c.query_columns()});
  return layer.out_change.added(
      gpt2 ? conv1d(mixed, layer.out, layer.out_bias) : at::linear(mixed, layer.out), mixed);
}

at::Tensor TransformerWeights::feed_forward(const Layer& layer, const at::Tensor& x) const {
  const bool gpt2 = layer.up_bias.defined();
  const at::Tensor up =
      layer.up_change.added(gpt2 ? conv1d(x, layer.up, layer.up_bias) : at::linear(x, layer.up), x);
  if (gpt2) {
    const at::Tensor inner = at::gelu(up, "tanh");
    return layer.down_change.added(conv1d(inner, layer.down, layer.down_bias), inner);
  }
  const std::vector<at::Tensor> parts = up.chunk(2, -1);
  const at::Tensor inner = at::silu(parts[0]) * parts[1];
  return layer.down_change.added(at::linear(inner, layer.down), inner);
}

at::Tensor TransformerWeights::hidden(const TokenBlock& block) const {
  const std::int64_t group = model_->config().heads / model_->config().kv_heads;
  // Attention wants numbers to add to its scores: made here once, or every layer would make and
  // keep its own.
  const at::Tensor visible =
      at::zeros(block.visible.sizes(), embedding_.options().requires_grad(false))
          .masked_fill_(block.visible.logical_not(), -std::numeric_limits<double>::infinity())
          .unsqueeze(1);
  // By value: recomputed layers call it in the backward pass.
  return hidden(block.tokens, block.positions,
                [group, visible](std::int64_t, const at::Tensor& query, const at::Tensor& key,
                                 const at::Tensor& value) {
                  const auto of_query_heads = [group](const at::Tensor& x) {
                    return group == 1 ? x : at::repeat_interleave(x, group, 1);
                  };
                  return at::scaled_dot_product_attention(query, of_query_heads(key),
                                                          of_query_heads(value), visible);
                });
}

at::Tensor TransformerWeights::hidden(const at::Tensor& tokens, const at::Tensor& positions,
                                      const Attend& attend) const {
  at::Tensor x = embedded(embedding_, embedding_gradient_, tokens);
  at::Tensor cosine, sine;
  if (position_embedding_.defined()) {
    x = x + embedded(position_embedding_, position_gradient_, positions);
  } else {
    const at::Tensor angle = (positions.to(at::kFloat).unsqueeze(-1) * frequencies_).unsqueeze(1);
    cosine = at::cos(angle).to(x.scalar_type());
    sine = at::sin(angle).to(x.scalar_type());
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const auto number = static_cast<std::int64_t>(i);
    const auto run = [this, &layer, number, cosine, sine, attend](const at::Tensor& before) {
      const at::Tensor y = before + attention(number, norm(before, layer.norm1, layer.norm1_bias),
                                              cosine, sine, attend);
      return y + feed_forward(layer, norm(y, layer.norm2, layer.norm2_bias));
    };
    x = recompute_ ? recomputed(x, run) : run(x);
  }
  return norm(x, last_norm_, last_norm_bias_);
}

at::Tensor TransformerWeights::logits(const at::Tensor& hidden) const {
  return at::linear(hidden, head_);
}

at::Tensor TransformerWeights::log_probabilities(const at::Tensor& hidden,
                                                 const at::Tensor& targets,
                                                 std::int64_t chunk) const {
  return token_log_probabilities(hidden, head_, targets, chunk);
}

}  // namespace tenfold::nn
