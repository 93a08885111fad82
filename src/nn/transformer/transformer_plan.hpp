// What a transformer takes: parameters, bytes on a rank, operations. Closed forms, without
// LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/transformer/activation_plan.hpp"
#include "nn/transformer/transformer_config.hpp"

namespace tenfold::nn {

/// Numbers that are learned, embeddings included; equal to the layout's parameter_count().
double parameter_count(const TransformerConfig& config);
/// Those of low-rank adapters of every linear module of every layer: rank (in + out) each.
double adapter_count(const TransformerConfig& config, std::int64_t rank);
/// Bytes of keys and values of one token, with numbers of so many bytes.
double cache_bytes_per_token(const TransformerConfig& config, double number_bytes);

/// How gradients of virtual shards are summed: --reduce.
enum class GradientSum { kFast, kOrdered, kFixed };
/// What decodes: nothing, own kernels in float32, LibTorch in either type.
enum class DecoderCopy { kNone, kFused, kFloat32, kBfloat16 };

/// How a model is trained and decoded by this suite.
struct TrainingPlan {
  double ranks = 1;
  GradientSum sum = GradientSum::kFast;
  double shards_per_rank = 1;  ///< virtual shards; each has a gradient of its own, with kFast none
  bool zero1 = false;
  bool decay = false;     ///< --weight-decay above 0: a number for every parameter that learns
  bool reference = true;  ///< a second copy of the policy, unless adapters are learned
  bool snapshot = false;  ///< --policy-refresh above 1: another, of what learns, to search with
  DecoderCopy decoder = DecoderCopy::kFused;
  double cache_bytes = 0;  ///< of keys and values
  LearningPass pass{};     ///< the largest
};

struct MemoryItem {
  std::string name;
  double bytes = 0;
  bool host = false;  ///< of the host's memory, with a GPU, too
};
/// What a rank holds at most, by part: sums of these are its peak, in the update with the largest
/// pass.
std::vector<MemoryItem> memory_of(const TransformerConfig& config, const TrainingPlan& plan);
double total_bytes(const std::vector<MemoryItem>& items);

/// Operations of a forward and backward pass over so many tokens: 6 per parameter and token (2
/// forward alone), attention left out.
double training_operations(const TransformerConfig& config, double tokens);

}  // namespace tenfold::nn
