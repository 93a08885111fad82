// The engine of LibTorch's operators.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "nn/decoding/decoding_engine.hpp"

namespace tenfold::nn {

/// Which keys the rows of one forward pass see, the same in every layer. Tensors on the device.
struct AttentionPlan {
  /// Rows first to first + rows - 1, of one sequence.
  struct Piece {
    std::int64_t first = 0, rows = 0;
    at::Tensor blocks;   ///< int64 [T]
    at::Tensor visible;  ///< bool [rows, T block_tokens]
  };
  /// Single rows of several sequences. Siblings: all see what lies in trunk, whole, and each the
  /// blocks of its own; else trunk is not defined.
  struct Siblings {
    at::Tensor rows;     ///< int64 [R]
    at::Tensor trunk;    ///< int64 [C]
    at::Tensor blocks;   ///< int64 [R T], padded
    at::Tensor visible;  ///< bool [R, 1, 1, T block_tokens]
  };
  at::Tensor slots;  ///< int64 [n]: where in the pool a row's key goes, in tokens
  std::vector<Piece> pieces;
  std::vector<Siblings> siblings;
};

class TorchDecoding final : public DecodingEngine {
 public:
  TorchDecoding(const Transformer& model, const DecodingOptions& options);

 private:
  void take_parameters(const at::Tensor& flat) override;
  void copy_block(std::int32_t from, std::int32_t to) override;
  void compute(std::span<const TokenRow> rows, std::span<const std::int32_t> block,
               std::span<float> logits) override;

  AttentionPlan plan(std::span<const TokenRow> rows, std::span<const std::int32_t> block) const;
  AttentionPlan::Piece piece(std::span<const TokenRow> rows, std::int64_t first) const;
  AttentionPlan::Siblings siblings(std::span<const TokenRow> rows, std::span<const std::int64_t> of,
                                   std::int64_t shared) const;
  void group_singles(std::span<const TokenRow> rows, std::span<const std::int64_t> singles,
                     AttentionPlan& plan) const;
  at::Tensor attend(const AttentionPlan& plan, std::int64_t layer, const at::Tensor& query,
                    const at::Tensor& key, const at::Tensor& value);
  at::Tensor attend_piece(const AttentionPlan::Piece& piece, std::int64_t layer,
                          const at::Tensor& query) const;
  at::Tensor attend_siblings(const AttentionPlan::Siblings& siblings, std::int64_t layer,
                             const at::Tensor& query) const;
  at::Tensor gathered(const at::Tensor& pool, std::int64_t layer, const at::Tensor& blocks,
                      std::int64_t sequences) const;
  at::Tensor on_device(const std::vector<std::int64_t>& values) const;

  at::Tensor flat_, keys_,
      values_;  ///< pools: [layers, blocks, block_tokens, kv_heads, head_width]
  std::optional<TransformerWeights> weights_;
};

}  // namespace tenfold::nn
