// The fused engine's memory and weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/decoder_kernels.hpp"
#include "nn/decoding/decoding_engine.hpp"

namespace tenfold::nn {

/// Zeroed float32 memory on a cache line, behind which whole vectors may be read.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  explicit FloatBuffer(std::int64_t count);
  float* data() const { return data_; }

 private:
  at::Tensor memory_;
  float* data_ = nullptr;
};

/// See kernels::kRowLanes.
class PaddedRows {
 public:
  PaddedRows() = default;
  PaddedRows(std::int64_t rows, std::int64_t columns);
  float* row(std::int64_t r) const { return memory_.data() + r * stride_; }
  kernels::Rows all() const { return {memory_.data(), stride_}; }
  operator kernels::ConstRows() const { return all(); }  // NOLINT(google-explicit-constructor)

 private:
  std::int64_t stride_ = 0;
  FloatBuffer memory_;
};

/// A weight in panels, and its bias where it has one.
struct PackedLinear {
  std::int64_t in = 0, out = 0;
  FloatBuffer packed, bias;
};

struct FusedLayer {
  PackedLinear qkv, out, up, down;
  FloatBuffer norm1, norm1_bias, norm2, norm2_bias;
};

class FusedDecoding final : public DecodingEngine {
 public:
  FusedDecoding(const Transformer& model, const DecodingOptions& options);

 private:
  void take_parameters(const at::Tensor& flat) override;
  void copy_block(std::int32_t from, std::int32_t to) override;
  void compute(std::span<const TokenRow> rows, std::span<const std::int32_t> block,
               std::span<float> logits) override;

  void embed(std::span<const TokenRow> rows);
  void attention(const FusedLayer& layer, std::int64_t number, std::span<const TokenRow> rows,
                 std::span<const std::int32_t> block);
  void store_key_value(const TokenRow& row, std::int32_t block, std::int64_t layer,
                       const float* key, const float* value);
  void feed_forward(const FusedLayer& layer, std::int64_t rows);
  void head(std::span<const TokenRow> rows, std::span<float> logits);
  void norm(const float* x, const FloatBuffer& weight, const FloatBuffer& bias, float* y) const;
  void multiply(kernels::ConstRows x, std::int64_t rows, const PackedLinear& linear,
                kernels::ConstRows start, kernels::Rows y) const;

  const kernels::DecoderKernels& kernels_;
  bool gpt2_;
  kernels::AttentionShape shape_;
  std::int64_t layer_numbers_;  ///< of a block, of one layer
  /// [blocks, layers, ...]: a block is copied in one piece. What nobody wrote is never read.
  at::Tensor pool_;
  FloatBuffer embedding_, position_embedding_, last_norm_, last_norm_bias_;
  PackedLinear head_;
  std::vector<FusedLayer> layers_;
  FloatBuffer cosine_, sine_;  ///< [longest, head_width / 2]
  FloatBuffer scores_;
  PaddedRows x_, normed_, qkv_, mixed_, up_;
};

}  // namespace tenfold::nn
