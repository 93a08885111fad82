// What a pass holds, against what LibTorch's allocator hands out.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/CPUAllocator.h>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "nn/transformer/activation_plan.hpp"
#include "nn/transformer/lora.hpp"
#include "nn/transformer/token_trie.hpp"

namespace tenfold::nn {
namespace {

/// LibTorch's allocator of the host, counted: bytes that are held, and the most that were.
class CountingAllocator final : public c10::Allocator {
 public:
  CountingAllocator() {
    before_ = c10::GetCPUAllocator();
    c10::SetCPUAllocator(this, 100);
  }
  c10::DataPtr allocate(std::size_t count) override {
    void* const begin = before_->raw_allocate(count);
    sizes_[begin] = static_cast<std::int64_t>(count);
    held_ += static_cast<std::int64_t>(count);
    most_ = std::max(most_, held_);
    return {begin, begin, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t count) const override {
    default_copy_data(to, from, count);
  }
  static std::int64_t held() { return held_; }
  static std::int64_t most() { return most_; }
  static void begin() { most_ = held_; }

 private:
  static void release(void* begin) {
    const auto place = sizes_.find(begin);
    held_ -= place->second;
    sizes_.erase(place);
    before_->raw_deallocate(begin);
  }
  static inline c10::Allocator* before_ = nullptr;
  static inline std::map<void*, std::int64_t> sizes_;
  static inline std::int64_t held_ = 0, most_ = 0;
};

struct Case {
  std::string name;
  TransformerConfig config;
  LearningPass pass;
};

TransformerConfig llama(std::int64_t kv_heads) {
  TransformerConfig config;
  config.vocabulary = 300;
  config.width = 64;
  config.layers = 3;
  config.heads = 4;
  config.kv_heads = kv_heads;
  config.head_width = 16;
  config.feed_forward = 176;
  config.positions = 256;
  return config;
}

struct Found {
  double kept = 0, backward = 0;
};

Found measured(const Case& each) {
  const Transformer model(each.config);
  const LearningPass& pass = each.pass;
  at::Tensor flat = at::zeros({model.parameters().flat_size()}, at::kFloat);
  model.initialize(flat, 5);
  if (pass.bfloat16) flat = flat.to(at::kBFloat16);
  std::optional<Lora> lora;
  at::Tensor adapters, gradient;
  if (pass.lora_rank > 0) {
    LoraConfig wanted;
    wanted.rank = pass.lora_rank;
    for (const auto& group : adaptable_modules(each.config.family)) {
      wanted.targets.insert(wanted.targets.end(), group.begin(), group.end());
    }
    lora.emplace(model, wanted);
    adapters = at::zeros({lora->parameters().flat_size()}, at::kFloat);
    lora->initialize(adapters, 5);
    if (pass.bfloat16) adapters = adapters.to(at::kBFloat16);
  }
  gradient = at::zeros({lora ? adapters.numel() : flat.numel()}, at::kFloat);
  TransformerWeights weights =
      lora ? TransformerWeights(model, flat, {}, {&*lora, adapters, gradient})
           : TransformerWeights(model, flat, gradient);
  weights.set_recompute(pass.recompute);
  const auto length = static_cast<std::int32_t>(pass.length);
  std::vector<TokenTrie> tries(static_cast<std::size_t>(pass.tokens / pass.length));
  std::vector<std::int32_t> tokens;
  for (std::int32_t t = 0; t < length; ++t) tokens.push_back(t % 290);
  Found found;
  {
    const std::int64_t before = CountingAllocator::held();
    CountingAllocator::begin();
    at::Tensor loss;
    {
      const TokenBlock block = pack(
          [&] {
            for (TokenTrie& trie : tries) trie = {};
            for (TokenTrie& trie : tries) trie.add(tokens);
            return std::span<const TokenTrie>(tries);
          }(),
          each.config, at::kCPU);
      Predictions predictions;
      for (std::size_t b = 0; b < tries.size(); ++b) {
        for (std::int32_t node = 1; node < length; ++node) {
          predictions.add(tries[b], static_cast<std::int64_t>(b), length, node);
        }
      }
      loss = predicted(weights, block, predictions, static_cast<std::int64_t>(pass.logits_chunk))
                 .sum();
    }
    found.kept = static_cast<double>(CountingAllocator::held() - before);
    const double forward = static_cast<double>(CountingAllocator::most() - before);
    CountingAllocator::begin();
    loss.backward();
    const double backward = static_cast<double>(CountingAllocator::most() - before);
    found.backward = std::max(forward, backward) - found.kept;
  }
  return found;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  TransformerConfig gpt2 = llama(4);
  gpt2.family = TransformerFamily::kGpt2;
  gpt2.tied_embeddings = true;
  const std::pair<const char*, TransformerConfig> models[] = {
      {"llama", llama(4)}, {"grouped", llama(2)}, {"gpt2", gpt2}};
  for (const auto& [name, config] : models) {
    for (int kind = 0; kind < 16; ++kind) {
      Case each{fmt::format("{} {}", name, kind), config, pass_of(4, 48, 4 * 47)};
      each.pass.bfloat16 = kind & 1;
      each.pass.lora_rank = kind & 2 ? 8 : 0;
      each.pass.recompute = kind & 4;
      // Peaks at the logits, and in the layers.
      each.pass.logits_chunk = kind & 8 ? 3 : 100;
      all.push_back(each);
    }
  }
  return all;
}

TEST(ActivationPlan, IsWhatTheAllocatorHandsOut) {
  static CountingAllocator allocator;
  for (const Case& each : cases()) {
    const Found found = measured(each);
    const PassBytes planned = bytes_of(each.config, each.pass);
    // The loss itself is one number.
    EXPECT_EQ(found.kept - sizeof(float), planned.kept) << each.name;
    const double peak = found.kept + found.backward;
    EXPECT_NEAR((planned.kept + planned.backward) / peak, 1, 0.06) << each.name;
  }
}

}  // namespace
}  // namespace tenfold::nn
