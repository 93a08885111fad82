// A transformer that reads tokens one by one, with the keys and values of all that it has read kept
// in blocks. Prefilling and decoding are the same: rows of tokens, each of a sequence.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nn/decoding/kv_blocks.hpp"
#include "nn/transformer/transformer.hpp"

namespace tenfold::nn {

/// One token to read. Its key and value go where its sequence has room: extend it first.
struct TokenRow {
  std::int32_t token = 0;
  Sequence sequence = Sequence::kNone;
  std::int64_t position = 0;  ///< filled(sequence), plus its rows before in the same batch
  std::int32_t logits = -1;   ///< which row of logits to write, or none
};

struct DecodingOptions {
  std::int64_t block_tokens = 16;       ///< fused: 16 times a power of two
  std::int64_t cache_bytes = 64 << 20;  ///< of keys and values; whole blocks that fit
  std::int64_t longest = 0;             ///< tokens of a sequence; 0: the model's positions
  std::int64_t rows = 256;              ///< at most so many in a forward pass
  /// torch: of parameters, keys and values. fused: of parameters alone, float32 or bfloat16
  at::ScalarType type = at::kFloat;
  at::Device device = at::Device(at::kCPU);  ///< torch
};

class DecodingEngine {
 public:
  virtual ~DecodingEngine() = default;
  DecodingEngine(const DecodingEngine&) = delete;
  DecodingEngine& operator=(const DecodingEngine&) = delete;

  /// Takes a copy of flat [flat_size], as it needs it, and advances the version: sequences read
  /// before are stale. Needed once before the first forward.
  void set_parameters(const at::Tensor& flat);
  /// Writes key and value of every row, then, row by row, attends to all keys of the row's sequence
  /// up to its position (inside the sliding window). logits: [m, vocabulary], row by row; m above
  /// the largest logits of rows. Rows of one sequence come in order of positions. Throws Code::kBug
  /// for what KvBlocks refuses, Code::kUsage for tokens outside the vocabulary.
  /// hidden: empty, or [m, width]: what the head makes logits of, the last layer's state behind its
  /// norm, row by row as logits.
  void forward(std::span<const TokenRow> rows, std::span<float> logits,
               std::span<float> hidden = {});

  KvBlocks& blocks() { return blocks_; }
  const KvBlocks& blocks() const { return blocks_; }
  const TransformerConfig& config() const { return model_->config(); }
  std::int64_t most_rows() const { return options_.rows; }
  std::int64_t bytes_of_block() const { return block_bytes_; }

 protected:
  /// block_bytes: of all layers. model must outlive this. Throws Code::kUsage where no block fits.
  DecodingEngine(const Transformer& model, const DecodingOptions& options,
                 std::int64_t block_bytes);

  const Transformer& model() const { return *model_; }
  const DecodingOptions& decoding_options() const { return options_; }
  /// Where compute() leaves a row's state besides its logits; null where nobody asked.
  float* hidden_row(std::int32_t logits_row) const {
    return hidden_.empty() ? nullptr : hidden_.data() + logits_row * config().width;
  }

  virtual void take_parameters(const at::Tensor& flat) = 0;
  virtual void copy_block(std::int32_t from, std::int32_t to) = 0;
  /// rows are checked; block[i] is where row i's key and value go.
  virtual void compute(std::span<const TokenRow> rows, std::span<const std::int32_t> block,
                       std::span<float> logits) = 0;

 private:
  const Transformer* model_;
  DecodingOptions options_;
  std::int64_t block_bytes_;
  KvBlocks blocks_;
  std::vector<std::int32_t> row_blocks_;
  std::span<float> hidden_;  ///< of the present forward
  bool has_parameters_ = false;
};

/// Plain loops on the CPU in float32, without threads; no allocation after construction. **A row's
/// logits have the same bits whatever other rows are in the batch, whatever blocks its sequence
/// lies in and with whom it shares them** (on one kind of processor). With type bfloat16 every
/// parameter is rounded to the nearest bfloat16, and its memory, which bounds the speed of small
/// batches, is half; all else stays float32: the bits of an engine in float32 that was given the
/// rounded parameters.
std::unique_ptr<DecodingEngine> make_fused_decoding(const Transformer& model,
                                                    const DecodingOptions& options);
/// LibTorch's operators, on any device, in float32 or bfloat16. Siblings attend to what they share
/// in one product. Rounding depends on the batch.
std::unique_ptr<DecodingEngine> make_torch_decoding(const Transformer& model,
                                                    const DecodingOptions& options);

}  // namespace tenfold::nn
