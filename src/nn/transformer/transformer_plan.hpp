// What a transformer takes: parameters, bytes on a rank, operations. Closed forms, without
// LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/transformer/transformer_config.hpp"

namespace tenfold::nn {

/// Numbers that are learned, embeddings included; equal to the layout's parameter_count().
double parameter_count(const TransformerConfig& config);
/// Those of low-rank adapters of every linear module of every layer: rank (in + out) each.
double adapter_count(const TransformerConfig& config, std::int64_t rank);
/// Bytes of keys and values of one token, with numbers of so many bytes.
double cache_bytes_per_token(const TransformerConfig& config, double number_bytes);

/// How a model is trained and decoded by this suite, in float32.
struct TrainingPlan {
  double ranks = 1;
  double gradient_copies = 1;  ///< --reduce ordered, fixed: virtual shards of a rank; fast: 1
  bool zero1 = false;
  std::int64_t lora_rank = 0;
  bool reference = true;      ///< a second copy of the policy, unless adapters are learned
  bool decodes = true;        ///< a third, as the decoder wants it
  double cache_bytes = 0;     ///< of keys and values
  double forward_tokens = 0;  ///< of the largest forward pass that is learned from, with padding
  double logits_chunk = 1024;
  bool recompute = false;  ///< TransformerWeights::set_recompute
};

struct MemoryItem {
  std::string name;
  double bytes = 0;
};
/// What a rank holds at most, by part. Activations are an estimate: what LibTorch's autograd keeps
/// of each layer.
std::vector<MemoryItem> memory_of(const TransformerConfig& config, const TrainingPlan& plan);
double total_bytes(const std::vector<MemoryItem>& items);

/// Operations of a forward and backward pass over so many tokens: 6 per parameter and token (2
/// forward alone), attention left out.
double training_operations(const TransformerConfig& config, double tokens);

}  // namespace tenfold::nn
