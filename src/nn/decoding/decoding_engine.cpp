#include "nn/decoding/decoding_engine.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

KvBlocksOptions block_options(const TransformerConfig& config, const DecodingOptions& options,
                              std::int64_t block_bytes) {
  const std::int64_t blocks = options.cache_bytes / block_bytes;
  if (blocks < 1) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("the cache of keys and values has {} bytes, one block of {} "
                                  "tokens takes {}",
                                  options.cache_bytes, options.block_tokens, block_bytes),
                      "Give it more memory");
  }
  const std::int64_t longest =
      options.longest > 0 ? std::min(options.longest, config.positions) : config.positions;
  return {options.block_tokens, blocks, longest};
}

}  // namespace

DecodingEngine::DecodingEngine(const Transformer& model, const DecodingOptions& options,
                               std::int64_t block_bytes)
    : model_(&model),
      options_(options),
      block_bytes_(block_bytes),
      blocks_(block_options(model.config(), options, block_bytes)) {
  if (options.rows < 1) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("decoding: {} rows in a forward pass", options.rows),
                      "At least 1");
  }
  row_blocks_.resize(static_cast<std::size_t>(options.rows));
}

void DecodingEngine::set_parameters(const at::Tensor& flat) {
  base::require(
      flat.dim() == 1 && flat.is_contiguous() && flat.numel() == model_->parameters().flat_size(),
      "DecodingEngine: parameters must be contiguous, [flat_size]");
  blocks_.advance_version();
  take_parameters(flat);
  has_parameters_ = true;
}

void DecodingEngine::forward(std::span<const TokenRow> rows, std::span<float> logits,
                             std::span<float> hidden) {
  base::require(has_parameters_, "DecodingEngine: no parameters were set");
  base::require(rows.size() <= row_blocks_.size(), "DecodingEngine: more rows than allowed");
  for (const TokenRow& row : rows) {
    if (row.token < 0 || row.token >= config().vocabulary) {
      throw base::Error(
          base::Code::kUsage,
          fmt::format("token {} is not of a vocabulary of {}", row.token, config().vocabulary),
          "Does the tokenizer belong to this model?");
    }
    base::require((row.logits + 1) * config().vocabulary <= std::ssize(logits),
                  "DecodingEngine: no room for these logits");
    base::require(hidden.empty() || (row.logits + 1) * config().width <= std::ssize(hidden),
                  "DecodingEngine: no room for these states");
  }
  for (const KvBlocks::Copy& copy : blocks_.pending_copies()) copy_block(copy.from, copy.to);
  blocks_.copied();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    row_blocks_[i] = blocks_.fill_next(rows[i].sequence, rows[i].position);
  }
  hidden_ = hidden;
  if (!rows.empty()) compute(rows, {row_blocks_.data(), rows.size()}, logits);
}

}  // namespace tenfold::nn
