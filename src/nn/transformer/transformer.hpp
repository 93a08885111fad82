// Decoder-only transformers (Vaswani et al. 2017; Touvron et al. 2023; Jiang et al. 2023; Radford
// et al. 2019) over one flat parameter buffer, on LibTorch's operators.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "nn/parameter_layout.hpp"
#include "nn/transformer/low_rank.hpp"
#include "nn/transformer/transformer_config.hpp"

namespace tenfold::nn {

/// The names and places of a model's parameters; no numbers. Names and shapes are those of Hugging
/// Face's checkpoints ("model.layers.0.self_attn.q_proj.weight"; GPT-2 with "transformer." and
/// weights [in, out]). q, k and v of a layer lie adjacent, and so do gate and up: one product each.
class Transformer {
 public:
  /// Throws Code::kUsage where config makes no model.
  explicit Transformer(TransformerConfig config);

  const TransformerConfig& config() const { return config_; }
  const ParameterLayout& parameters() const { return parameters_; }
  /// Matrices and embeddings normal with standard deviation 0.02, those that write into the
  /// residual stream divided by sqrt(2 layers) (Radford et al. 2019, section 2.3); norms 1,
  /// biases 0. flat: float32 [flat_size]; streams as initialize_flat's.
  void initialize(const at::Tensor& flat, std::uint32_t seed) const;
  /// float64 [head_width / 2]: radians per position of each rotary pair, scaled as config says.
  std::vector<double> rotary_frequencies() const;

 private:
  void lay_out_llama();
  void lay_out_gpt2();

  TransformerConfig config_;
  ParameterLayout parameters_;
};

/// Sequences of one forward pass, each of its own length: rows are padded to the longest. Positions
/// and visibility are explicit, so that branches of a tree may be packed in one row.
struct TokenBlock {
  at::Tensor tokens;     ///< int64 [B, L]; padding may hold any token of the vocabulary
  at::Tensor positions;  ///< int64 [B, L]
  at::Tensor visible;    ///< bool [B, L, L]: whether query i sees key j; every row sees something
};

/// Rows of plain sequences: positions 0, 1, ..., visible what is not later (and within the sliding
/// window); lengths: int64 [B] on the host. A padding query sees itself alone.
TokenBlock causal_block(const at::Tensor& tokens, const at::Tensor& lengths,
                        const TransformerConfig& config);

/// Entries first to first + count - 1 of flat, which must lie together, as one leaf [rows of all,
/// columns] that shares its memory; with a gradient where gradient is defined: that part of it. A
/// gradient of another type than flat's is added to in its own.
at::Tensor parameter_leaf(const ParameterLayout& layout, std::size_t first, std::size_t count,
                          const at::Tensor& flat, const at::Tensor& gradient);

/// What one layer's queries see: query [B, heads, L, head_width], key and value [B, kv_heads, L,
/// head_width], rotated already -> [B, heads, L, head_width].
using Attend = std::function<at::Tensor(std::int64_t layer, const at::Tensor& query,
                                        const at::Tensor& key, const at::Tensor& value)>;

class Lora;

/// The numbers of a model's adapters: flat and gradient as TransformerWeights takes the model's.
struct LoraParameters {
  const Lora* lora = nullptr;
  at::Tensor flat{}, gradient{};
};

/// Parameters of one model as LibTorch sees them. Leaves are views of flat, so a step of the
/// optimizer on flat is seen here at once.
class TransformerWeights {
 public:
  /// flat: [flat_size] in the type and on the device to compute in, contiguous. gradient: nothing,
  /// or as flat, or of a flat in half precision float32: what backward() adds gradients to, in
  /// place. adapters: none, or of this model and in flat's type. model must outlive this.
  TransformerWeights(const Transformer& model, const at::Tensor& flat,
                     const at::Tensor& gradient = {}, const LoraParameters& adapters = {});

  const Transformer& model() const { return *model_; }
  at::Device device() const { return embedding_.device(); }
  /// Whether a layer's activations are computed again in the backward pass: a third more
  /// computing, and memory for one layer's activations and the inputs of all.
  void set_recompute(bool recompute) { recompute_ = recompute; }
  /// What the last norm gives for every token: [B, L, width].
  at::Tensor hidden(const TokenBlock& block) const;
  /// The same with attention of the caller's; tokens, positions int64 [B, L].
  at::Tensor hidden(const at::Tensor& tokens, const at::Tensor& positions,
                    const Attend& attend) const;
  /// [N, width] -> [N, vocabulary], in the type of the parameters.
  at::Tensor logits(const at::Tensor& hidden) const;
  /// log p(target) for rows of hidden [N, width]; targets int64 [N] -> float32 [N]. Softmax in
  /// float32. Logits exist for chunk rows at a time, and are computed again for the gradient.
  at::Tensor log_probabilities(const at::Tensor& hidden, const at::Tensor& targets,
                               std::int64_t chunk = 1024) const;

 private:
  struct Layer {
    at::Tensor norm1, norm1_bias, qkv, qkv_bias, out, out_bias;
    at::Tensor norm2, norm2_bias, up, up_bias, down, down_bias;  ///< Llama: up is gate and up
    LowRank qkv_change{}, out_change{}, up_change{}, down_change{};
  };
  void adapt(const LoraParameters& adapters);
  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const;
  at::Tensor attention(std::int64_t number, const at::Tensor& x, const at::Tensor& cosine,
                       const at::Tensor& sine, const Attend& attend) const;
  at::Tensor feed_forward(const Layer& layer, const at::Tensor& x) const;

  const Transformer* model_;
  bool recompute_ = false;
  std::vector<Layer> layers_;
  at::Tensor embedding_, position_embedding_, last_norm_, last_norm_bias_, head_;
  at::Tensor embedding_gradient_, position_gradient_;  ///< where not of the embeddings' type
  at::Tensor frequencies_;                             ///< float32 [head_width / 2]
};

}  // namespace tenfold::nn
