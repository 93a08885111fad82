// Adapters: that they start as nothing, that merging them changes nothing, that nothing else gets a
// gradient. What PEFT computes is compared in tests/golden.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "nn/huggingface/adapter_directory.hpp"
#include "nn/transformer/lora.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::nn {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TransformerConfig small(TransformerFamily family) {
  TransformerConfig config;
  config.family = family;
  config.vocabulary = 13;
  config.width = 8;
  config.layers = 2;
  config.heads = config.kv_heads = 2;
  if (family == TransformerFamily::kLlama) config.kv_heads = 1;
  config.head_width = 4;
  config.feed_forward = 12;
  config.positions = 16;
  config.tied_embeddings = true;
  return config;
}

struct Adapted {
  explicit Adapted(TransformerFamily family, std::vector<std::string> targets)
      : model(small(family)),
        lora(model, {2, 6, std::move(targets)}),
        flat(at::zeros({model.parameters().flat_size()}, at::kFloat)),
        adapters(at::zeros({lora.parameters().flat_size()}, at::kFloat)),
        block(causal_block(at::tensor({1, 2, 3, 4, 5, 6, 7, 8}, at::kLong).view({2, 4}),
                           at::tensor({4, 3}, at::kLong), model.config())) {
    model.initialize(flat, 3);
    for (const ParameterEntry& entry : model.parameters().entries()) {
      if (entry.shape.size() == 2) flat.narrow(0, entry.offset, entry.size).mul_(10);
    }
    lora.initialize(adapters, 4);
  }
  // Every B away from zero.
  void learn() {
    for (const ParameterEntry& entry : lora.parameters().entries()) {
      if (entry.name.find("lora_B") == std::string::npos) continue;
      for (std::int64_t i = 0; i < entry.size; ++i) {
        adapters[entry.offset + i] = 0.3 * std::sin(static_cast<double>(entry.offset + 3 * i));
      }
    }
  }
  at::Tensor logits(const TransformerWeights& weights) const {
    const at::NoGradGuard none;
    return weights.logits(weights.hidden(block));
  }
  double apart(const TransformerWeights& a, const TransformerWeights& b) const {
    return (logits(a) - logits(b)).abs().max().item().toDouble();
  }

  Transformer model;
  Lora lora;
  at::Tensor flat, adapters;
  TokenBlock block;
};

const std::vector<std::pair<TransformerFamily, std::vector<std::string>>> kCases{
    {TransformerFamily::kLlama, {"k_proj"}},
    {TransformerFamily::kLlama, {"q_proj", "v_proj", "down_proj"}},
    {TransformerFamily::kLlama,
     {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}},
    {TransformerFamily::kGpt2, {"attn.c_proj"}},
    {TransformerFamily::kGpt2, {"c_attn", "c_proj", "c_fc"}}};

TEST(LoraAdapters, StartAsNothingAndMergeIntoTheSame) {
  for (const auto& [family, targets] : kCases) {
    Adapted adapted(family, targets);
    const TransformerWeights base(adapted.model, adapted.flat);
    const TransformerWeights with(adapted.model, adapted.flat, {},
                                  {&adapted.lora, adapted.adapters});
    EXPECT_EQ(adapted.apart(base, with), 0);
    adapted.learn();
    EXPECT_GT(adapted.apart(base, with), 0.01);
    const at::Tensor merged = adapted.flat.clone();
    adapted.lora.merge(adapted.adapters, merged);
    EXPECT_LT(adapted.apart(TransformerWeights(adapted.model, merged), with), 1e-5);
  }
}

TEST(LoraAdapters, AloneGetAGradient) {
  for (const auto& [family, targets] : kCases) {
    Adapted adapted(family, targets);
    adapted.learn();
    const at::Tensor before = adapted.flat.clone();
    const at::Tensor gradient = at::zeros_like(adapted.adapters);
    const TransformerWeights with(adapted.model, adapted.flat, {},
                                  {&adapted.lora, adapted.adapters, gradient});
    const auto loss = [&] {
      return with.log_probabilities(with.hidden(adapted.block)[0], adapted.block.tokens[0], 3)
          .sum();
    };
    loss().backward();
    EXPECT_TRUE(before.equal(adapted.flat));
    for (const ParameterEntry& entry : adapted.lora.parameters().entries()) {
      EXPECT_GT(gradient.narrow(0, entry.offset, entry.size).abs().sum().item().toDouble(), 0)
          << entry.name;
    }
    // The slope in the gradient's own direction, by central differences.
    const at::Tensor start = adapted.adapters.clone();
    const double norm = gradient.norm().item().toDouble();
    const auto moved = [&](double step) {
      adapted.adapters.copy_(start + gradient * (step / norm));
      const at::NoGradGuard none;
      return loss().item().toDouble();
    };
    EXPECT_NEAR((moved(1e-2) - moved(-1e-2)) / 2e-2, norm, 2e-3 * norm);
  }
}

TEST(LoraAdapters, AreLaidOutAsPeftNamesThem) {
  const Adapted adapted(TransformerFamily::kLlama, {"q_proj", "v_proj"});
  const auto& entries = adapted.lora.parameters().entries();
  ASSERT_EQ(entries.size(), 8U);
  EXPECT_EQ(entries[0].name, "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
  EXPECT_EQ(entries[1].name, "base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight");
  EXPECT_EQ(entries[1].offset, entries[0].size);
  EXPECT_THAT(entries[3].shape, ElementsAre(4, 2));
  // Kaiming's uniform with slope sqrt(5): 1 / sqrt(in), and in = 8.
  const at::Tensor first = adapted.adapters.narrow(0, 0, 16).abs();
  EXPECT_LE(first.max().item().toDouble(), 1 / std::sqrt(8.0));
  EXPECT_GT(first.max().item().toDouble(), 0.8 / std::sqrt(8.0));
}

// The message and hint of the error with this code.
template <class Call>
std::string error_of(base::Code code, const Call& call) {
  try {
    call();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.message() + " | " + error.hint();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(LoraAdapters, RefuseWhatNoModelHas) {
  const auto refusal = [](TransformerFamily family, const LoraConfig& config) {
    return error_of(base::Code::kUsage, [&] { config.validate(family); });
  };
  const auto llama = TransformerFamily::kLlama;
  EXPECT_THAT(refusal(llama, {2, 6, {"c_attn"}}),
              AllOf(HasSubstr("no module 'c_attn'"), HasSubstr("self_attn.q_proj")));
  EXPECT_THAT(refusal(llama, {2, 6, {"proj"}}), HasSubstr("no module 'proj'"));
  EXPECT_THAT(refusal(llama, {2, 6, {""}}), HasSubstr("no module ''"));
  EXPECT_THAT(refusal(TransformerFamily::kGpt2, {2, 6, {"q_proj"}}), HasSubstr("attn.c_attn"));
  EXPECT_THAT(refusal(llama, {2, 6, {}}), HasSubstr("no modules"));
  EXPECT_THAT(refusal(llama, {0, 6, {"q_proj"}}), HasSubstr("rank"));
  EXPECT_THAT(refusal(llama, {2, 0, {"q_proj"}}), HasSubstr("alpha"));
}

class AdapterFolder : public test::TemporaryFolder {
 protected:
  std::string refusal(const std::string& more) const {
    put("adapter_config.json",
        R"({"peft_type":"LORA","r":2,"lora_alpha":6,"target_modules":["q_proj"])" + more + "}");
    return error_of(base::Code::kData,
                    [&] { read_adapter_config(folder_, TransformerFamily::kLlama); });
  }
};

TEST_F(AdapterFolder, RefusesOtherKindsOfAdapters) {
  for (const char* more :
       {R"(,"use_dora":true)", R"(,"use_rslora":true)", R"(,"of_the_future":{"a":1})",
        R"(,"bias":"all")", R"(,"lora_bias":true)", R"(,"modules_to_save":["lm_head"])",
        R"(,"rank_pattern":{"q_proj":4})", R"(,"alpha_pattern":{"q_proj":4})",
        R"(,"layers_to_transform":[0])", R"(,"init_lora_weights":"pissa")",
        R"(,"fan_in_fan_out":true)"}) {
    const std::string key(more + 2, std::string(more).find('"', 2));
    EXPECT_THAT(refusal(more), HasSubstr(key.substr(0, key.find('"'))));
  }
  put("adapter_config.json", R"({"peft_type":"IA3","target_modules":["q_proj"]})");
  EXPECT_THAT(
      error_of(base::Code::kData, [&] { read_adapter_config(folder_, TransformerFamily::kLlama); }),
      HasSubstr("peft_type"));
  put("adapter_config.json",
      R"({"r":2,"lora_alpha":6,"target_modules":"all-linear","rank_pattern":{}})");
  EXPECT_EQ(read_adapter_config(folder_, TransformerFamily::kLlama).targets.size(), 7U);
  put("adapter_config.json", R"({"r":2,"target_modules":"q_.*"})");
  EXPECT_THAT(
      error_of(base::Code::kData, [&] { read_adapter_config(folder_, TransformerFamily::kLlama); }),
      HasSubstr("target_modules must be a list"));
}

TEST_F(AdapterFolder, HoldsTheAdaptersOfItsModelAndNoOthers) {
  Adapted adapted(TransformerFamily::kLlama, {"q_proj", "v_proj"});
  adapted.learn();
  const auto span = [](const at::Tensor& flat) {
    return std::span(flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel()));
  };
  export_adapters(folder_ / "a", adapted.lora.config(), TransformerFamily::kLlama, "base",
                  adapted.lora.parameters(), span(adapted.adapters));
  const at::Tensor again = at::randn_like(adapted.adapters);
  read_adapters(folder_ / "a", adapted.lora.parameters(), span(again));
  EXPECT_TRUE(again.equal(adapted.adapters));
  const LoraConfig config = read_adapter_config(folder_ / "a", TransformerFamily::kLlama);
  EXPECT_EQ(config.scale(), 3);

  const auto read_as = [&](std::int64_t rank, std::vector<std::string> targets) {
    const Lora other(adapted.model, {rank, 6, std::move(targets)});
    std::vector<float> flat(static_cast<std::size_t>(other.parameters().flat_size()));
    return error_of(base::Code::kData,
                    [&] { read_adapters(folder_ / "a", other.parameters(), flat); });
  };
  EXPECT_THAT(read_as(2, {"q_proj"}), HasSubstr("do not belong: "));
  EXPECT_THAT(read_as(2, {"q_proj", "v_proj", "o_proj"}), HasSubstr("missing: "));
  EXPECT_THAT(read_as(4, {"q_proj", "v_proj"}), HasSubstr("is F32 [2, 8]"));
}

}  // namespace
}  // namespace tenfold::nn
