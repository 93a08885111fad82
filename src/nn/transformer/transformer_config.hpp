// What a decoder-only transformer is made of: the fields of a Hugging Face config.json that change
// its numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tenfold::nn {

/// kLlama: RMSNorm, rotary positions, grouped-query attention, SwiGLU, no biases (Llama, Mistral).
/// kGpt2: LayerNorm, learned positions, one projection for q, k and v, GELU, biases everywhere.
enum class TransformerFamily { kLlama, kGpt2 };

/// Rescaled rotary frequencies of Llama 3.1 ("rope_type": "llama3"): wavelengths above
/// original_positions / low are divided by factor, those below original_positions / high are left,
/// those between are blended.
struct Llama3Rope {
  double factor = 8, low = 1, high = 4;
  std::int64_t original_positions = 8192;
};

struct TransformerConfig {
  TransformerFamily family = TransformerFamily::kLlama;
  std::int64_t vocabulary = 0;
  std::int64_t width = 0;         ///< hidden_size
  std::int64_t layers = 0;        ///< num_hidden_layers
  std::int64_t heads = 0;         ///< num_attention_heads
  std::int64_t kv_heads = 0;      ///< num_key_value_heads; divides heads; GPT-2: heads
  std::int64_t head_width = 0;    ///< head_dim; even for kLlama
  std::int64_t feed_forward = 0;  ///< intermediate_size
  std::int64_t positions = 0;     ///< max_position_embeddings
  double norm_epsilon = 1e-5;
  double rope_theta = 10000;
  std::optional<Llama3Rope> llama3_rope{};
  /// Key j is visible to query i where i - window < j <= i.
  std::optional<std::int64_t> sliding_window{};
  bool tied_embeddings = false;  ///< the head is the embedding: no lm_head.weight

  std::int64_t query_columns() const { return heads * head_width; }
  std::int64_t key_columns() const { return kv_heads * head_width; }
  /// Throws Code::kUsage naming the field.
  void validate() const;
};

std::string to_string(TransformerFamily family);

}  // namespace tenfold::nn
