#include "nn/transformer/transformer_plan.hpp"

namespace tenfold::nn {

namespace {

/// Bytes of a number.
constexpr double kHalf = 2, kFloat = 4, kInteger = 8;

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

namespace {

// What train::GradientReducer keeps of an exchange, in numbers, of gradients of so many: they grow
// once and stay.
double exchange_bytes(const TrainingPlan& plan, double learned) {
  const bool alone = plan.ranks == 1;
  const double part = learned / plan.ranks;
  // Parameters that come back from their owners.
  const double gathered = plan.zero1 && !alone ? kFloat * part : 0;
  switch (plan.sum) {
    case GradientSum::kOrdered:
      if (alone && !plan.zero1) return 0;
      // Sent and received: every shard's. What is received has room for what is gathered.
      return 2 * kFloat * plan.shards_per_rank * learned + (plan.zero1 ? gathered : kFloat * part);
    case GradientSum::kFixed:
      if (!plan.zero1) return kInteger * learned;
      return kInteger * (2 * learned + part) + gathered + (alone ? 0 : kFloat * learned);
    case GradientSum::kFast:
      if (!plan.zero1) return 0;
      return kFloat * learned + gathered + (alone ? 0 : kFloat * learned);
  }
  return 0;
}

double decoder_bytes(const TransformerConfig& c, DecoderCopy decoder) {
  const double head = c.tied_embeddings ? number(c.vocabulary) * number(c.width) : 0;
  switch (decoder) {
    case DecoderCopy::kNone:
      return 0;
    case DecoderCopy::kFused:
      return kFloat * (parameter_count(c) + head);
    case DecoderCopy::kFloat32:
      return kFloat * parameter_count(c);
    case DecoderCopy::kBfloat16:
      return kHalf * parameter_count(c);
  }
  return 0;
}

}  // namespace

std::vector<MemoryItem> memory_of(const TransformerConfig& c, const TrainingPlan& plan) {
  const LearningPass& pass = plan.pass;
  const bool adapters = pass.lora_rank > 0;
  const double model = parameter_count(c);
  const double learned = adapters ? adapter_count(c, pass.lora_rank) : model;
  const double part = plan.zero1 ? 1 / plan.ranks : 1;
  const double gradients = plan.sum == GradientSum::kFast ? 1 : plan.shards_per_rank;
  std::vector<MemoryItem> items;
  const auto add = [&](std::string name, double bytes, bool host = false) {
    if (bytes > 0) items.push_back({std::move(name), bytes, host});
  };
  // Frozen and with a copy to compute with: the host's.
  const bool away = adapters && pass.bfloat16;
  add("parameters", kFloat * model, away);
  add("adapters", adapters ? kFloat * learned : 0);
  add("bfloat16 copy", pass.bfloat16 ? kHalf * (model + (adapters ? learned : 0)) : 0);
  add("gradients", gradients * kFloat * learned);
  add("summed gradient", part * kFloat * learned);
  add("Adam's moments", 2 * part * kFloat * learned);
  add("weight decay", plan.decay ? part * kFloat * learned : 0);
  add("exchange of gradients", exchange_bytes(plan, learned), true);
  add("reference", plan.reference && !adapters ? (pass.bfloat16 ? kHalf : kFloat) * model : 0);
  add("policy that searches", plan.snapshot ? kFloat * learned : 0);
  const double decoder = decoder_bytes(c, plan.decoder);
  add("decoder's copy", decoder);
  add("keys and values", decoder > 0 ? plan.cache_bytes : 0);
  const PassBytes bytes = bytes_of(c, pass);
  add("activations", bytes.kept);
  add("backward pass", bytes.backward);
  // Adapters are added to a copy that the decoder takes: not while there are activations.
  const double merged = adapters && decoder > 0 ? kFloat * model : 0;
  add("merging adapters, beyond that", merged - bytes.kept - bytes.backward, away);
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
