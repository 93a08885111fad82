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
  const double parameters = 7'241'732'096.0, model = 4 * parameters;
  EXPECT_EQ(found.at("parameters"), model);
  EXPECT_EQ(found.at("gradients"), model);
  EXPECT_EQ(found.at("summed gradient"), model / 8);
  EXPECT_EQ(found.at("Adam's moments"), 2 * model / 8);
  EXPECT_EQ(found.at("reference"), model);
  EXPECT_EQ(found.at("decoder's copy"), model);
  EXPECT_FALSE(found.contains("weight decay"));
  plan.decay = plan.pass.bfloat16 = true;
  plan.decoder = DecoderCopy::kBfloat16;
  const auto halves = by_name(memory_of(mistral(), plan));
  EXPECT_EQ(halves.at("parameters"), model);
  EXPECT_EQ(halves.at("bfloat16 copy"), 2 * parameters);  // the notes' 14.5 GB
  EXPECT_EQ(halves.at("reference"), 2 * parameters);
  EXPECT_EQ(halves.at("decoder's copy"), 2 * parameters);
  EXPECT_EQ(halves.at("gradients"), model);
  EXPECT_EQ(halves.at("weight decay"), model / 8);
}

TEST(TransformerPlan, AdaptersNeedNoReference) {
  TrainingPlan plan;
  plan.pass.lora_rank = 64;
  plan.pass.tokens = plan.pass.predicted = 8192;
  plan.pass.length = 512;
  const auto kept = by_name(memory_of(mistral(), plan));
  EXPECT_FALSE(kept.contains("reference"));
  EXPECT_EQ(kept.at("gradients"), 4 * 64.0 * 81'920 * 32);
  plan.pass.recompute = true;
  const auto again = by_name(memory_of(mistral(), plan));
  EXPECT_LT(again.at("activations"), 0.08 * kept.at("activations"));
  // 16 sequences of 512 tokens, 32 layers of 4096 numbers: the notes' 2.1 GB in bfloat16.
  plan.pass.bfloat16 = true;
  plan.pass.predicted = 0;
  EXPECT_NEAR(by_name(memory_of(mistral(), plan)).at("activations"), 32 * 16 * 512 * 8192.0,
              0.15 * 2.1e9);
}

// What the reducer's buffers grow to: sends and receives of train/gradient_reducer.cpp.
TEST(TransformerPlan, CountsWhatAnExchangeKeeps) {
  const auto exchange = [](GradientSum sum, double ranks, bool zero1) {
    TrainingPlan plan;
    plan.sum = sum;
    plan.ranks = ranks;
    plan.shards_per_rank = 3;
    plan.zero1 = zero1;
    const auto found = by_name(memory_of(gpt2(), plan));
    const auto place = found.find("exchange of gradients");
    return place == found.end() ? 0 : place->second / (4 * parameter_count(gpt2()));
  };
  EXPECT_EQ(exchange(GradientSum::kFast, 4, false), 0);
  EXPECT_EQ(exchange(GradientSum::kOrdered, 1, false), 0);
  EXPECT_EQ(exchange(GradientSum::kFixed, 1, false), 2);
  EXPECT_EQ(exchange(GradientSum::kFast, 4, true), 1 + 1 + 0.25);
  EXPECT_EQ(exchange(GradientSum::kOrdered, 4, false), 3 + 3 + 0.25);
  EXPECT_EQ(exchange(GradientSum::kOrdered, 4, true), 3 + 3 + 0.25);
  EXPECT_EQ(exchange(GradientSum::kOrdered, 1, true), 3 + 3);
  EXPECT_EQ(exchange(GradientSum::kFixed, 4, true), 2 + 2 + 0.5 + 1 + 0.25);
}

}  // namespace
}  // namespace tenfold::nn
