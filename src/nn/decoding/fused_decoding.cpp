#include "nn/decoding/fused_decoding.hpp"

#include <ATen/ops/from_blob.h>
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

std::int64_t rounded_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

kernels::AttentionShape attention_shape(const TransformerConfig& c,
                                        const DecodingOptions& options) {
  const auto tiles = static_cast<std::uint64_t>(options.block_tokens / kernels::kLanes);
  if (options.block_tokens % kernels::kLanes != 0 || !std::has_single_bit(tiles)) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("decoding: blocks of {} tokens", options.block_tokens),
                      fmt::format("Give {} times a power of two", kernels::kLanes));
  }
  kernels::AttentionShape shape{c.heads,
                                c.kv_heads,
                                c.head_width,
                                rounded_up(c.head_width, kernels::kLanes),
                                std::countr_zero(tiles),
                                0};
  shape.block_stride = c.layers * c.kv_heads * shape.head_numbers();
  return shape;
}

std::int64_t block_bytes(const TransformerConfig& c, const DecodingOptions& options) {
  return attention_shape(c, options).block_stride * static_cast<std::int64_t>(sizeof(float));
}

at::ScalarType checked_type(const DecodingOptions& options) {
  if (options.device.is_cpu() && (options.type == at::kFloat || options.type == at::kBFloat16)) {
    return options.type;
  }
  throw base::Error(base::Code::kUsage,
                    "the fused decoder keeps weights in float32 or bfloat16, on the CPU",
                    "Take the torch engine for other types and devices");
}

// at::empty would fill it, as deterministic algorithms want: blocks that nobody takes cost nothing.
at::Tensor untouched(std::int64_t count) {
  constexpr std::align_val_t kAlignment{64};
  const auto bytes = static_cast<std::size_t>(count) * sizeof(float);
  return at::from_blob(
      ::operator new(bytes, kAlignment), {count},
      [](void* memory) { ::operator delete(memory, kAlignment); }, at::kFloat);
}

}  // namespace

PaddedRows::PaddedRows(std::int64_t rows, std::int64_t columns)
    : stride_(rounded_up(columns, kernels::kRowLanes)), memory_(rows * stride_) {}

FusedDecoding::FusedDecoding(const Transformer& model, const DecodingOptions& options)
    : DecodingEngine(model, options, block_bytes(model.config(), options)),
      kernels_(kernels::decoder_kernels()),
      gpt2_(model.config().family == TransformerFamily::kGpt2),
      shape_(attention_shape(model.config(), options)),
      layer_numbers_(shape_.kv_heads * shape_.head_numbers()),
      pool_(untouched(blocks().options().blocks * shape_.block_stride)),
      weights_(kernels_, model.config(), checked_type(options)) {
  const TransformerConfig& c = config();
  const std::int64_t longest = blocks().options().longest, rows = options.rows;
  const std::int64_t qkv = c.query_columns() + 2 * c.key_columns();
  const std::int64_t up = gpt2_ ? c.feed_forward : 2 * c.feed_forward;
  scores_ = FloatBuffer(longest);
  x_ = PaddedRows(rows, c.width);
  normed_ = PaddedRows(rows, c.width);
  qkv_ = PaddedRows(rows, qkv);
  mixed_ = PaddedRows(rows, c.query_columns());
  up_ = PaddedRows(rows, up);
  if (gpt2_) return;
  const std::vector<double> frequencies = model.rotary_frequencies();
  const std::int64_t half = c.head_width / 2;
  cosine_ = FloatBuffer(longest * half);
  sine_ = FloatBuffer(longest * half);
  for (std::int64_t p = 0; p < longest; ++p) {
    for (std::int64_t i = 0; i < half; ++i) {
      // Angles in float32, as transformers has them.
      const float angle = static_cast<float>(p) * static_cast<float>(frequencies[i]);
      cosine_.data()[p * half + i] = std::cos(angle);
      sine_.data()[p * half + i] = std::sin(angle);
    }
  }
}

void FusedDecoding::take_parameters(const at::Tensor& flat) {
  const at::Tensor host = flat.to(at::kCPU, at::kFloat);
  weights_.take(model().parameters(), host.data_ptr<float>());
}

void FusedDecoding::copy_block(std::int32_t from, std::int32_t to) {
  std::copy_n(pool_.data_ptr<float>() + from * shape_.block_stride, shape_.block_stride,
              pool_.data_ptr<float>() + to * shape_.block_stride);
}

void FusedDecoding::norm(const float* x, const FloatBuffer& weight, const FloatBuffer& bias,
                         float* y) const {
  const auto epsilon = static_cast<float>(config().norm_epsilon);
  if (gpt2_) {
    kernels_.layer_norm(x, config().width, weight.data(), bias.data(), epsilon, y);
  } else {
    kernels_.rms_norm(x, config().width, weight.data(), epsilon, y);
  }
}

void FusedDecoding::store_key_value(const TokenRow& row, std::int32_t block, std::int64_t layer,
                                    const float* key, const float* value) {
  const std::int64_t lane = row.position % kernels::kLanes;
  const std::int64_t tile =
      row.position / kernels::kLanes % (std::int64_t{1} << shape_.block_shift);
  float* head = pool_.data_ptr<float>() + block * shape_.block_stride + layer * layer_numbers_ +
                tile * shape_.tile_numbers();
  for (std::int64_t h = 0; h < shape_.kv_heads; ++h, head += shape_.head_numbers()) {
    for (std::int64_t d = 0; d < shape_.head_width; ++d) head[d * kernels::kLanes + lane] = *key++;
    std::copy_n(value, shape_.head_width, head + shape_.key_numbers() + lane * shape_.value_stride);
    value += shape_.head_width;
  }
}

void FusedDecoding::attention(const FusedLayer& layer, std::int64_t number,
                              std::span<const TokenRow> rows, std::span<const std::int32_t> block) {
  const TransformerConfig& c = config();
  const auto count = static_cast<std::int64_t>(rows.size());
  for (std::int64_t r = 0; r < count; ++r) {
    norm(x_.row(r), layer.norm1, layer.norm1_bias, normed_.row(r));
  }
  weights_.multiply(normed_, count, layer.qkv, {layer.qkv.bias.data(), 0}, qkv_.all());
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.head_width)));
  for (std::int64_t r = 0; r < count; ++r) {
    float* const query = qkv_.row(r);
    float* const key = query + c.query_columns();
    if (gpt2_) {
      kernels_.scale(query, c.query_columns(), scale);
    } else {
      const std::int64_t at = rows[r].position * (c.head_width / 2);
      kernels_.rotate(query, c.heads, c.head_width, cosine_.data() + at, sine_.data() + at, scale);
      kernels_.rotate(key, c.kv_heads, c.head_width, cosine_.data() + at, sine_.data() + at, 1);
    }
    store_key_value(rows[r], block[r], number, key, key + c.key_columns());
  }
  for (std::int64_t r = 0; r < count; ++r) {
    const std::int64_t last = rows[r].position;
    const std::int64_t first =
        c.sliding_window ? std::max<std::int64_t>(0, last + 1 - *c.sliding_window) : 0;
    kernels_.attend(shape_, qkv_.row(r), pool_.data_ptr<float>() + number * layer_numbers_,
                    blocks().table(rows[r].sequence).data(), first, last, scores_.data(),
                    mixed_.row(r));
  }
  if (gpt2_) {
    // The bias, then the residual stream: in place, so the bias is added to that first.
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t i = 0; i < c.width; ++i) x_.row(r)[i] += layer.out.bias.data()[i];
    }
  }
  weights_.multiply(mixed_, count, layer.out, x_, x_.all());
}

void FusedDecoding::feed_forward(const FusedLayer& layer, std::int64_t rows) {
  const TransformerConfig& c = config();
  for (std::int64_t r = 0; r < rows; ++r) {
    norm(x_.row(r), layer.norm2, layer.norm2_bias, normed_.row(r));
  }
  weights_.multiply(normed_, rows, layer.up, {layer.up.bias.data(), 0}, up_.all());
  for (std::int64_t r = 0; r < rows; ++r) {
    float* const up = up_.row(r);
    if (!gpt2_) {
      kernels_.swiglu(up, up + c.feed_forward, c.feed_forward, up);
      continue;
    }
    kernels_.gelu(up, c.feed_forward);
    for (std::int64_t i = 0; i < c.width; ++i) x_.row(r)[i] += layer.down.bias.data()[i];
  }
  weights_.multiply(up_, rows, layer.down, x_, x_.all());
}

void FusedDecoding::head(std::span<const TokenRow> rows, std::span<float> logits) {
  const std::int64_t vocabulary = config().vocabulary;
  // Rows whose logits follow each other are one product.
  std::int64_t count = 0, first = 0;
  const auto flush = [&] {
    if (count == 0) return;
    weights_.multiply(normed_, count, weights_.head(), {nullptr, 0},
                      {logits.data() + first * vocabulary, vocabulary});
    count = 0;
  };
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].logits < 0) continue;
    if (rows[r].logits != first + count) {
      flush();
      first = rows[r].logits;
    }
    norm(x_.row(static_cast<std::int64_t>(r)), weights_.last_norm(), weights_.last_norm_bias(),
         normed_.row(count));
    if (float* const kept = hidden_row(rows[r].logits)) {
      std::copy_n(normed_.row(count), config().width, kept);
    }
    ++count;
  }
  flush();
}

void FusedDecoding::compute(std::span<const TokenRow> rows, std::span<const std::int32_t> block,
                            std::span<float> logits) {
  const auto count = static_cast<std::int64_t>(rows.size());
  for (std::int64_t r = 0; r < count; ++r) {
    weights_.embed(rows[r].token, rows[r].position, x_.row(r));
  }
  const std::vector<FusedLayer>& layers = weights_.layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    attention(layers[i], static_cast<std::int64_t>(i), rows, block);
    feed_forward(layers[i], count);
  }
  head(rows, logits);
}

std::unique_ptr<DecodingEngine> make_fused_decoding(const Transformer& model,
                                                    const DecodingOptions& options) {
  return std::make_unique<FusedDecoding>(model, options);
}

}  // namespace tenfold::nn
