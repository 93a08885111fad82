// The engine of plain loops.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "kernels/decoder_kernels.hpp"
#include "nn/decoding/decoding_engine.hpp"
#include "nn/decoding/fused_weights.hpp"

namespace tenfold::nn {

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

class FusedDecoding final : public DecodingEngine {
 public:
  FusedDecoding(const Transformer& model, const DecodingOptions& options);

 private:
  void take_parameters(const at::Tensor& flat) override;
  void copy_block(std::int32_t from, std::int32_t to) override;
  void compute(std::span<const TokenRow> rows, std::span<const std::int32_t> block,
               std::span<float> logits) override;

  void attention(const FusedLayer& layer, std::int64_t number, std::span<const TokenRow> rows,
                 std::span<const std::int32_t> block);
  void store_key_value(const TokenRow& row, std::int32_t block, std::int64_t layer,
                       const float* key, const float* value);
  void feed_forward(const FusedLayer& layer, std::int64_t rows);
  void head(std::span<const TokenRow> rows, std::span<float> logits);
  void norm(const float* x, const FloatBuffer& weight, const FloatBuffer& bias, float* y) const;

  const kernels::DecoderKernels& kernels_;
  bool gpt2_;
  kernels::AttentionShape shape_;
  std::int64_t layer_numbers_;  ///< of a block, of one layer
  /// [blocks, layers, ...]: a block is copied in one piece. What nobody wrote is never read.
  at::Tensor pool_;
  FusedWeights weights_;
  FloatBuffer cosine_, sine_;  ///< [longest, head_width / 2]
  FloatBuffer scores_;
  PaddedRows x_, normed_, qkv_, mixed_, up_;
};

}  // namespace tenfold::nn
