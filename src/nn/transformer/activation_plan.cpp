#include "nn/transformer/activation_plan.hpp"

#include <algorithm>

namespace tenfold::nn {

namespace {

double number(std::int64_t value) {
  return static_cast<double>(value);
}

constexpr double kFloat = 4;
/// Bytes of a token and a prediction in int64.
constexpr double kIndex = 8;

/// Bytes per token that a pass of one model keeps, by part.
class Kept {
 public:
  Kept(const TransformerConfig& config, const LearningPass& pass)
      : c_(config),
        gpt2_(config.family == TransformerFamily::kGpt2),
        adapters_(pass.lora_rank > 0),
        half_(pass.bfloat16),
        rank_(number(pass.lora_rank)),
        number_(pass.bfloat16 ? 2 : kFloat) {}

  double numbers(double count) const { return number_ * count; }
  double width() const { return number(c_.width); }
  double inner() const { return number(c_.feed_forward); }
  /// What goes into a norm, and its statistics: mean and deviation, or one.
  double norm_input() const { return gpt2_ ? numbers(width() + 2) : kFloat * (width() + 1); }
  double normalised() const { return gpt2_ || adapters_ ? 0 : numbers(width()); }
  double attention() const {
    const double query = number(c_.query_columns()), key = number(c_.key_columns());
    const double denominators = kFloat * number(c_.heads);
    if (gpt2_) return numbers(4 * query) + denominators;
    return numbers(c_.heads == c_.kv_heads ? 4 * query + 3 * key : 5 * query) + denominators;
  }
  double feed_forward() const { return numbers((gpt2_ ? 2 : 4) * inner()); }
  double between_adapters() const { return numbers((gpt2_ ? 4 : 7) * rank_); }
  double layer() const {
    return 2 * (norm_input() + normalised() + numbers(width())) + attention() + feed_forward() +
           between_adapters();
  }
  double last_norm() const { return norm_input() + normalised(); }
  double rotation() const { return gpt2_ ? 0 : numbers(number(c_.head_width)); }
  /// The input of a layer, and of its first norm, is one tensor, unless the norm has it in float32.
  double layer_without_input() const { return layer() - (gpt2_ || !half_ ? numbers(width()) : 0); }
  /// Nothing before the first adapter has a gradient.
  double first_without_gradient() const { return adapters_ ? norm_input() : 0; }
  /// Embeddings that learn keep what they were asked for.
  double indices() const { return adapters_ ? 0 : kIndex * (gpt2_ ? 2 : 1); }

  /// Most that the backward pass of a feed-forward part takes beyond what was kept, for so many
  /// tokens: gradients of its products and of their weights, less what is freed meanwhile.
  double feed_forward_backward(double tokens) const {
    const double into = gpt2_ ? 1 : 2;
    const double inner_gradient = numbers(tokens * inner());
    // Without instructions for it, LibTorch sums products of bfloat16 in a float32 copy.
    const double summed = half_ ? kFloat * tokens * inner() : 0;
    // Beside adapters, which give a gradient of their own, weights get none.
    if (adapters_) return 2 * inner_gradient + summed;
    const double weight = width() * inner();
    // A weight's gradient in bfloat16 is added to one in float32, over a float32 copy.
    const double added = (half_ ? number_ + kFloat : number_) * weight;
    const double down = inner_gradient + std::max(summed + numbers(gpt2_ ? 0 : weight), added);
    return std::max({down, into * inner_gradient, into * (added - inner_gradient)});
  }
  /// Logits of so many rows and their softmax, which of bfloat16 is taken of a float32 copy.
  double logits(double rows) const {
    return rows * number(c_.vocabulary) * (half_ ? number_ + 2 * kFloat : 2 * kFloat);
  }
  /// A gradient of the embedding, or of the head: float32.
  double embedding_gradient() const {
    return adapters_ ? 0 : kFloat * number(c_.vocabulary) * width();
  }

 private:
  const TransformerConfig& c_;
  bool gpt2_, adapters_, half_;
  double rank_, number_;
};

}  // namespace

PassBytes bytes_of(const TransformerConfig& c, const LearningPass& pass) {
  const Kept each(c, pass);
  const double tokens = pass.tokens, layers = number(c.layers), width = each.numbers(each.width());
  // What attention adds for keys that are not seen.
  const double always = tokens * (each.indices() + pass.length * each.numbers(1) + each.rotation());
  const double of_layers =
      tokens *
      (pass.recompute ? layers * width : layers * each.layer() - each.first_without_gradient());
  const double logits = each.logits(std::min(pass.logits_chunk, pass.predicted));
  PassBytes bytes;
  bytes.kept =
      always + of_layers + tokens * each.last_norm() + pass.predicted * (width + 2 * kIndex);
  // The end of the forward pass: all hidden states, and the block with its indices and bits.
  const double block =
      tokens * (2 * kIndex - each.indices() + pass.length) + pass.predicted * kFloat;
  const double forward = bytes.kept + tokens * width + logits + block;
  const double head = bytes.kept + pass.predicted * width + each.embedding_gradient() + logits;
  // A leaf gets the sum of its gradients once all are there: that of a head which is the embedding
  // waits to the end. In bfloat16 each is taken as it comes.
  const double waiting = c.tied_embeddings && !pass.bfloat16 ? each.embedding_gradient() : 0;
  const double again = pass.recompute ? tokens * (each.layer_without_input() + width) : 0;
  const double layer =
      always + of_layers + again + tokens * width + each.feed_forward_backward(tokens) + waiting;
  const double end = always + tokens * width + each.embedding_gradient() + waiting;
  bytes.backward = std::max({forward, head, layer, end}) - bytes.kept;
  return bytes;
}

}  // namespace tenfold::nn
