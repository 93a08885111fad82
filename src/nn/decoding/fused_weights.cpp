#include "nn/decoding/fused_weights.hpp"

#include <ATen/ops/zeros.h>
#include <fmt/core.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

constexpr std::int64_t kLargePage = 2 << 20, kCacheLine = 64;

std::int64_t rounded_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

FloatBuffer::FloatBuffer(std::int64_t count)
    : memory_(at::zeros({count + kernels::kRowLanes}, at::kFloat)),
      data_(memory_.data_ptr<float>()) {}

StreamedMemory::StreamedMemory(std::int64_t bytes) {
  const std::int64_t page = bytes < kLargePage ? kCacheLine : kLargePage;
  const auto size = static_cast<std::size_t>(rounded_up(bytes, page));
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(static_cast<std::size_t>(page), size)));
  if (memory_ == nullptr) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("decoding: no {} bytes of memory for the weights", size),
                      "Give the decoder's weights a smaller type, or take a smaller model");
  }
  // Advice alone: pages of 4 KiB do as well, more slowly.
  if (page == kLargePage) madvise(memory_.get(), size, MADV_HUGEPAGE);
  std::memset(memory_.get(), 0, size);
}

FusedWeights::FusedWeights(const kernels::DecoderKernels& kernels, const TransformerConfig& config,
                           at::ScalarType type)
    : kernels_(kernels),
      config_(config),
      half_(type == at::kBFloat16),
      gpt2_(config.family == TransformerFamily::kGpt2) {
  const TransformerConfig& c = config_;
  if (gpt2_) position_embedding_ = FloatBuffer(c.positions * c.width);
  const std::int64_t qkv = c.query_columns() + 2 * c.key_columns();
  const std::int64_t up = gpt2_ ? c.feed_forward : 2 * c.feed_forward;
  const auto vector = [&](bool wanted) { return wanted ? FloatBuffer(c.width) : FloatBuffer(); };
  for (std::int64_t i = 0; i < c.layers; ++i) {
    layers_.push_back({next_linear(c.width, qkv, gpt2_),
                       next_linear(c.query_columns(), c.width, gpt2_),
                       next_linear(c.width, up, gpt2_), next_linear(c.feed_forward, c.width, gpt2_),
                       vector(true), vector(gpt2_), vector(true), vector(gpt2_)});
  }
  last_norm_ = vector(true);
  last_norm_bias_ = vector(gpt2_);
  head_ = next_linear(c.width, c.vocabulary, false);
  memory_ = StreamedMemory(panel_bytes_ + c.vocabulary * c.width * number_bytes());
}

PackedLinear FusedWeights::next_linear(std::int64_t in, std::int64_t out, bool bias) {
  const std::int64_t offset = panel_bytes_;
  panel_bytes_ += kernels::packed_size(kernels_, in, out) * number_bytes();
  panel_bytes_ = rounded_up(panel_bytes_, kCacheLine);
  return {in, out, offset, bias ? FloatBuffer(out) : FloatBuffer()};
}

// weight: [out, in], turned [in, out].
void FusedWeights::pack(const PackedLinear& into, const float* weight, bool turned) const {
  const std::int64_t in_stride = turned ? into.out : 1, out_stride = turned ? 1 : into.in;
  if (half_) {
    kernels_.pack_bfloat16(weight, into.in, into.out, in_stride, out_stride,
                           numbers<std::uint16_t>(into.offset));
  } else {
    kernels_.pack(weight, into.in, into.out, in_stride, out_stride, numbers<float>(into.offset));
  }
}

void FusedWeights::take_vector(const FloatBuffer& into, const float* from,
                               std::int64_t count) const {
  std::copy_n(from, count, into.data());
  if (!half_) return;
  std::uint16_t rounded = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    kernels_.round(from + i, 1, &rounded);
    kernels_.widen(&rounded, 1, into.data() + i);
  }
}

void FusedWeights::take(const ParameterLayout& layout, const float* flat) {
  const std::vector<ParameterEntry>& entries = layout.entries();
  std::size_t next = 0;
  const auto take = [&](const FloatBuffer& into) {
    const ParameterEntry& entry = entries[next++];
    take_vector(into, flat + entry.offset, entry.size);
  };
  // count entries that lie together are one weight: [out, in], of GPT-2 [in, out] and a bias.
  const auto take_linear = [&](const PackedLinear& into, std::size_t count) {
    pack(into, flat + entries[next].offset, gpt2_);
    next += count;
    if (gpt2_) take(into.bias);
  };
  const ParameterEntry& embedding = entries[next++];
  if (half_) {
    kernels_.round(flat + embedding.offset, embedding.size, numbers<std::uint16_t>(panel_bytes_));
  } else {
    std::copy_n(flat + embedding.offset, embedding.size, numbers<float>(panel_bytes_));
  }
  if (gpt2_) take(position_embedding_);
  for (const FusedLayer& layer : layers_) {
    take(layer.norm1);
    if (gpt2_) take(layer.norm1_bias);
    take_linear(layer.qkv, gpt2_ ? 1 : 3);
    take_linear(layer.out, 1);
    take(layer.norm2);
    if (gpt2_) take(layer.norm2_bias);
    take_linear(layer.up, gpt2_ ? 1 : 2);
    take_linear(layer.down, 1);
  }
  take(last_norm_);
  if (gpt2_) take(last_norm_bias_);
  const ParameterEntry& head = config_.tied_embeddings ? embedding : entries[next++];
  pack(head_, flat + head.offset, false);
  base::require(next == entries.size(), "FusedWeights: parameters are left over");
}

void FusedWeights::multiply(kernels::ConstRows x, std::int64_t rows, const PackedLinear& linear,
                            kernels::ConstRows start, kernels::Rows y) const {
  if (half_) {
    kernels_.product_bfloat16(x, rows, linear.in, numbers<std::uint16_t>(linear.offset), linear.out,
                              start, y);
  } else {
    kernels_.product(x, rows, linear.in, numbers<float>(linear.offset), linear.out, start, y);
  }
}

void FusedWeights::embed(std::int32_t token, std::int64_t position, float* x) const {
  const std::int64_t width = config_.width, first = token * width;
  if (half_) {
    kernels_.widen(numbers<std::uint16_t>(panel_bytes_) + first, width, x);
  } else {
    std::copy_n(numbers<float>(panel_bytes_) + first, width, x);
  }
  if (!gpt2_) return;
  const float* const place = position_embedding_.data() + position * width;
  for (std::int64_t i = 0; i < width; ++i) x[i] += place[i];
}

}  // namespace tenfold::nn
