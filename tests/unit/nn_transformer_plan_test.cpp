// Closed forms of what transformers take: the figures of the notes (mcts_dpo.md, section 10), and
// layouts.
#include <gtest/gtest.h>

#include <map>

#include "nn/transformer/lora.hpp"
#include "nn/transformer/transformer.hpp"
#include "nn/transformer/transformer_plan.hpp"

namespace tenfold::nn {
namespace {

TransformerConfig mistral() {
  TransformerConfig config;
  config.vocabulary = 32000;
  config.width = 4096;
  config.layers = 32;
  config.heads = 32;
  config.kv_heads = 8;
  config.head_width = 128;
  config.feed_forward = 14336;
  config.positions = 32768;
  return config;
}

TransformerConfig gpt2() {
  TransformerConfig config;
  config.family = TransformerFamily::kGpt2;
  config.vocabulary = 50257;
  config.width = 768;
  config.layers = 12;
  config.heads = config.kv_heads = 12;
  config.head_width = 64;
  config.feed_forward = 3072;
  config.positions = 1024;
  config.tied_embeddings = true;
  return config;
}

std::map<std::string, double> by_name(const std::vector<MemoryItem>& items) {
  std::map<std::string, double> found;
  for (const MemoryItem& each : items) found[each.name] = each.bytes;
  return found;
}

TEST(TransformerPlan, CountsWhatTheLayoutHas) {
  for (const TransformerConfig& config : {mistral(), gpt2()}) {
    EXPECT_EQ(parameter_count(config),
              static_cast<double>(Transformer(config).parameters().parameter_count()));
  }
  EXPECT_EQ(parameter_count(gpt2()), 124'439'808);  // as transformers counts gpt2
}

TEST(TransformerPlan, CountsAdapters) {
  LoraConfig lora;
  lora.rank = 64;
  for (const auto& group : adaptable_modules(TransformerFamily::kLlama)) {
    lora.targets.insert(lora.targets.end(), group.begin(), group.end());
  }
  const Transformer model(mistral());
  EXPECT_EQ(adapter_count(mistral(), 64),
            static_cast<double>(Lora(model, lora).parameters().parameter_count()));
  EXPECT_EQ(adapter_count(mistral(), 64), 64.0 * 81'920 * 32);
}

TEST(TransformerPlan, GivesTheNotesFigures) {
  EXPECT_EQ(cache_bytes_per_token(mistral(), 2), 128 * 1024);
  // 7500 trees of 1500 tokens, recomputation left out: 6 / 8 of the notes' 0.65 EFLOP.
  EXPECT_NEAR(training_operations(mistral(), 7500 * 1500.0), 0.65e18 * 6 / 8, 0.005e18);
  TrainingPlan plan;
  plan.ranks = 8;
  plan.zero1 = true;
  const auto found = by_name(memory_of(mistral(), plan));
  const double model = 4 * 7'241'732'096.0;
  EXPECT_EQ(found.at("parameters"), model);
  EXPECT_EQ(found.at("gradients"), model);
  EXPECT_EQ(found.at("summed gradient"), model / 8);
  EXPECT_EQ(found.at("Adam's moments"), 2 * model / 8);
  EXPECT_EQ(found.at("reference"), model);
  EXPECT_EQ(found.at("logits"), 1024.0 * 32000 * 4 * 2);
}

TEST(TransformerPlan, AdaptersNeedNoReference) {
  TrainingPlan plan;
  plan.lora_rank = 64;
  plan.forward_tokens = 8192;
  const auto kept = by_name(memory_of(mistral(), plan));
  EXPECT_FALSE(kept.contains("reference"));
  EXPECT_EQ(kept.at("gradients"), 4 * 64.0 * 81'920 * 32);
  plan.recompute = true;
  const auto again = by_name(memory_of(mistral(), plan));
  EXPECT_LT(again.at("activations (estimate)"), 0.15 * kept.at("activations (estimate)"));
}

}  // namespace
}  // namespace tenfold::nn
