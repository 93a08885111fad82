#include "nn/transformer/transformer_plan.hpp"

namespace tenfold::nn {

namespace {

constexpr double kFloat = 4;

double number(std::int64_t value) {
  return static_cast<double>(value);
}

struct Linear {
  double in, out;
};

// Of one layer.
std::vector<Linear> linears(const TransformerConfig& c) {
  const double width = number(c.width), inner = number(c.feed_forward);
  const double query = number(c.query_columns()), key = number(c.key_columns());
  if (c.family == TransformerFamily::kGpt2) {
    return {{width, 3 * width}, {width, width}, {width, inner}, {inner, width}};
  }
  return {{width, query}, {width, key},   {width, key},  {query, width},
          {width, inner}, {width, inner}, {inner, width}};
}

}  // namespace

double parameter_count(const TransformerConfig& c) {
  const bool gpt2 = c.family == TransformerFamily::kGpt2;
  double layer = (gpt2 ? 4 : 2) * number(c.width);  // norms
  for (const Linear& each : linears(c)) layer += each.in * each.out + (gpt2 ? each.out : 0);
  const double embedding = number(c.vocabulary) * number(c.width);
  const double positions = gpt2 ? number(c.positions) * number(c.width) : 0;
  return embedding * (c.tied_embeddings ? 1 : 2) + positions + number(c.layers) * layer +
         (gpt2 ? 2 : 1) * number(c.width);
}

double adapter_count(const TransformerConfig& c, std::int64_t rank) {
  double layer = 0;
  for (const Linear& each : linears(c)) layer += number(rank) * (each.in + each.out);
  return number(c.layers) * layer;
}

double cache_bytes_per_token(const TransformerConfig& c, double number_bytes) {
  return 2 * number(c.layers) * number(c.key_columns()) * number_bytes;
}

std::vector<MemoryItem> memory_of(const TransformerConfig& c, const TrainingPlan& plan) {
  const double model = kFloat * parameter_count(c);
  const double learned = plan.lora_rank > 0 ? kFloat * adapter_count(c, plan.lora_rank) : model;
  const double part = plan.zero1 ? 1 / plan.ranks : 1;
  // Of a layer and token: inputs of norms and products, q, k and v before and after the rotation,
  // what attention gives, the feed-forward part four times (gate, up, its activation, their
  // product).
  const double kept = 6 * number(c.width) + 4 * number(c.query_columns()) +
                      4 * number(c.key_columns()) + 4 * number(c.feed_forward);
  std::vector<MemoryItem> items;
  items.push_back({"parameters", model});
  if (plan.lora_rank > 0) items.push_back({"adapters", learned});
  items.push_back({"gradients", plan.gradient_copies * learned});
  items.push_back({"summed gradient", part * learned});
  items.push_back({"Adam's moments", 2 * part * learned});
  if (plan.reference && plan.lora_rank == 0) items.push_back({"reference", model});
  if (plan.decodes) {
    items.push_back({"decoder's copy", model});
    items.push_back({"keys and values", plan.cache_bytes});
  }
  const double of_layers =
      plan.recompute ? number(c.layers) * number(c.width) + 2 * kept : number(c.layers) * kept;
  items.push_back({"activations (estimate)", kFloat * plan.forward_tokens * of_layers});
  items.push_back({"logits", 2 * kFloat * plan.logits_chunk * number(c.vocabulary)});
  return items;
}

double total_bytes(const std::vector<MemoryItem>& items) {
  double sum = 0;
  for (const MemoryItem& each : items) sum += each.bytes;
  return sum;
}

double training_operations(const TransformerConfig& c, double tokens) {
  return 6 * parameter_count(c) * tokens;
}

}  // namespace tenfold::nn
