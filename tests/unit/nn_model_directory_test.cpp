#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "nn/huggingface/model_directory.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::nn {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ModelConfig parsed(const json& config) {
  return parse_model_config(JsonDocument::parse(config.dump(), "config.json"));
}

template <class Call>
std::string error_of(const Call& call, base::Code code = base::Code::kData) {
  try {
    call();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.message() + " | " + error.hint();
  }
  ADD_FAILURE() << "no error";
  return "";
}

std::string refusal(json config, const json& change) {
  config.update(change);
  return error_of([&] { parsed(config); });
}

// A key that is there and null is not what a missing one is.
TEST(ModelConfig, MissingKeysAreTransformersDefaults) {
  const TransformerConfig llama = parsed({{"model_type", "llama"}}).transformer;
  EXPECT_EQ(llama.vocabulary, 32000);
  EXPECT_EQ(llama.width, 4096);
  EXPECT_EQ(llama.feed_forward, 11008);
  EXPECT_EQ(llama.kv_heads, 32);
  EXPECT_EQ(llama.head_width, 128);
  EXPECT_EQ(llama.positions, 2048);
  EXPECT_EQ(llama.norm_epsilon, 1e-6);
  EXPECT_EQ(llama.rope_theta, 10000);
  EXPECT_FALSE(llama.tied_embeddings);

  const ModelConfig mistral = parsed({{"model_type", "mistral"}});
  EXPECT_EQ(mistral.transformer.kv_heads, 8);
  EXPECT_EQ(mistral.transformer.feed_forward, 14336);
  EXPECT_EQ(mistral.transformer.sliding_window, 4096);
  EXPECT_EQ(mistral.transformer.positions, 131072);
  EXPECT_EQ(mistral.bos, 1);
  EXPECT_THAT(mistral.eos, ElementsAre(2));
  const TransformerConfig nulls = parsed({{"model_type", "mistral"},
                                          {"num_key_value_heads", nullptr},
                                          {"sliding_window", nullptr}})
                                      .transformer;
  EXPECT_EQ(nulls.kv_heads, 32);
  EXPECT_FALSE(nulls.sliding_window);

  const ModelConfig gpt2 =
      parsed({{"model_type", "gpt2"}, {"n_inner", nullptr}, {"eos_token_id", nullptr}});
  EXPECT_EQ(gpt2.transformer.vocabulary, 50257);
  EXPECT_EQ(gpt2.transformer.feed_forward, 3072);
  EXPECT_EQ(gpt2.transformer.head_width, 64);
  EXPECT_TRUE(gpt2.transformer.tied_embeddings);
  EXPECT_THAT(gpt2.eos, IsEmpty());
}

TEST(ModelConfig, RotaryPositionsInBothStyles) {
  const json scaling = {{"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}};
  json old = {{"model_type", "llama"}, {"rope_theta", 5e5}, {"rope_scaling", scaling}};
  old["rope_scaling"]["rope_type"] = "llama3";
  old["rope_scaling"]["original_max_position_embeddings"] = 8192;
  json recent = {{"model_type", "llama"}, {"rope_parameters", old["rope_scaling"]}};
  recent["rope_parameters"]["rope_theta"] = 500000;
  for (const json& config : {old, recent}) {
    const TransformerConfig read = parsed(config).transformer;
    EXPECT_EQ(read.rope_theta, 5e5);
    ASSERT_TRUE(read.llama3_rope);
    EXPECT_EQ(read.llama3_rope->factor, 8);
    EXPECT_EQ(read.llama3_rope->high, 4);
    EXPECT_EQ(read.llama3_rope->original_positions, 8192);
  }
  // The first versions said "type"; without original positions they are the model's own.
  json first = {
      {"model_type", "llama"}, {"max_position_embeddings", 99}, {"rope_scaling", scaling}};
  first["rope_scaling"]["type"] = "llama3";
  EXPECT_EQ(parsed(first).transformer.llama3_rope->original_positions, 99);
  first["rope_scaling"].erase("factor");
  EXPECT_THAT(error_of([&] { parsed(first); }), HasSubstr("rope_scaling: factor is missing"));
  recent["rope_scaling"] = {{"type", "default"}};
  EXPECT_THAT(error_of([&] { parsed(recent); }), HasSubstr("different things"));
}

TEST(ModelConfig, RefusesWhatWouldComputeSomethingElse) {
  const json llama = {{"model_type", "llama"}};
  EXPECT_THAT(error_of([] { parsed({{"vocab_size", 5}}); }), HasSubstr("model_type is missing"));
  EXPECT_THAT(refusal(llama, {{"model_type", "qwen2"}}),
              AllOf(HasSubstr("config.json: model_type = 'qwen2'"), HasSubstr("mistral")));
  EXPECT_THAT(refusal(llama, {{"hidden_act", "gelu"}}), HasSubstr("hidden_act = 'gelu'"));
  EXPECT_THAT(refusal(llama, {{"attention_bias", true}}), HasSubstr("attention_bias = true"));
  EXPECT_THAT(refusal(llama, {{"mlp_bias", true}}), HasSubstr("mlp_bias = true"));
  EXPECT_THAT(refusal(llama, {{"quantization_config", {{"bits", 4}}}}),
              HasSubstr("quantization_config"));
  EXPECT_THAT(refusal(llama, {{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}}),
              HasSubstr("type = 'linear'"));
  EXPECT_THAT(refusal(llama, {{"rope_parameters", {{"rope_type", "yarn"}}}}), HasSubstr("'yarn'"));
  EXPECT_THAT(refusal(llama, {{"rope_parameters", {{"full_attention", {{"rope_theta", 1.0}}}}}}),
              HasSubstr("full_attention"));
  EXPECT_THAT(refusal(llama, {{"partial_rotary_factor", 0.5}}), HasSubstr("partial_rotary_factor"));
  EXPECT_THAT(refusal(llama, {{"sliding_window", 8}}), HasSubstr("sliding_window"));
  EXPECT_THAT(refusal({{"model_type", "mistral"}}, {{"layer_types", {"full_attention"}}}),
              HasSubstr("layer_types"));
  const json gpt2 = {{"model_type", "gpt2"}};
  EXPECT_THAT(refusal(gpt2, {{"activation_function", "relu"}}), HasSubstr("'relu'"));
  EXPECT_THAT(refusal(gpt2, {{"scale_attn_weights", false}}), HasSubstr("scale_attn_weights"));
  EXPECT_THAT(refusal(gpt2, {{"scale_attn_by_inverse_layer_idx", true}}), HasSubstr("inverse"));
  EXPECT_THAT(refusal(gpt2, {{"add_cross_attention", true}}), HasSubstr("cross_attention"));
}

TEST(ModelConfig, RefusesWhatIsNoModel) {
  const json llama = {{"model_type", "llama"}};
  EXPECT_THAT(refusal(llama, {{"hidden_size", 100}}),
              HasSubstr("no multiple of num_attention_heads"));
  EXPECT_THAT(refusal(llama, {{"num_attention_heads", 0}}), HasSubstr("num_attention_heads = 0"));
  EXPECT_THAT(refusal(llama, {{"num_key_value_heads", 5}}), HasSubstr("kv_heads = 5"));
  EXPECT_THAT(refusal(llama, {{"num_hidden_layers", -1}}), HasSubstr("layers"));
  EXPECT_THAT(refusal(llama, {{"vocab_size", 1e18}}), HasSubstr("whole number"));
  EXPECT_THAT(refusal(llama, {{"vocab_size", 4000000000}}), HasSubstr("plausible"));
  EXPECT_THAT(refusal(llama, {{"vocab_size", "5"}}), HasSubstr("must be a whole number, is \"5\""));
  EXPECT_THAT(refusal(llama, {{"tie_word_embeddings", 1}}), HasSubstr("true or false"));
  EXPECT_THAT(refusal(llama, {{"rope_theta", 0}}), HasSubstr("rope_theta"));
  const auto of_text = [](const std::string& text) {
    return error_of([&] { JsonDocument::parse(text, "config.json"); });
  };
  EXPECT_THAT(of_text("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(of_text("{"), HasSubstr("not JSON"));
  EXPECT_THAT(of_text(R"({"a":1,"b":{"a":1},"a":2})"), HasSubstr("'a' is given twice"));
  EXPECT_THAT(of_text("{\"a\":" + std::string(1'000'000, '[')), HasSubstr("levels deep"));
}

TEST(ModelConfig, WhatIsWrittenIsReadAgain) {
  TransformerConfig config = parsed({{"model_type", "mistral"}, {"head_dim", 48}}).transformer;
  config.rope_theta = 12345;
  config.llama3_rope = Llama3Rope{4, 1, 3, 77};
  for (const bool windowed : {true, false}) {
    config.sliding_window = windowed ? std::optional<std::int64_t>(8) : std::nullopt;
    ModelConfig made = make_model_config(config);
    EXPECT_EQ(made.model_type, windowed ? "mistral" : "llama");
    made.bos = 3;
    made.eos = {4, 5};
    const ModelConfig again =
        parse_model_config(JsonDocument::parse(model_config_text(made, StoredType::kBF16), "text"));
    EXPECT_EQ(again.model_type, made.model_type);
    EXPECT_EQ(again.bos, 3);
    EXPECT_THAT(again.eos, ElementsAre(4, 5));
    EXPECT_EQ(again.transformer.head_width, 48);
    EXPECT_EQ(again.transformer.rope_theta, 12345);
    EXPECT_EQ(again.transformer.sliding_window, config.sliding_window);
    EXPECT_EQ(again.transformer.llama3_rope->original_positions, 77);
  }
}

// A layout of three entries with a gap, and a folder that holds it.
class ModelFolder : public test::TemporaryFolder {
 protected:
  ModelFolder() {
    layout_.add("transformer.wte.weight", {3, 2}, 0, 0, true);
    layout_.add("transformer.h.0.ln_1.bias", {2}, 0, 0, false);
    layout_.add("lm_head.weight", {3, 2}, 0, 0, true);
    config_.model_type = "gpt2";
    config_.transformer.family = TransformerFamily::kGpt2;
  }
  TensorToStore tensor(const std::string& name, std::vector<std::int64_t> shape,
                       StoredType type = StoredType::kF32) const {
    TensorToStore stored{name, type, std::move(shape), {}};
    return stored_copy(name, type, stored.shape,
                       std::as_bytes(std::span(numbers_)).first(stored.byte_count()));
  }
  std::vector<TensorToStore> whole() const {
    return {tensor("wte.weight", {3, 2}), tensor("h.0.ln_1.bias", {2}),
            tensor("lm_head.weight", {3, 2})};
  }
  StoredParameters stored(std::vector<TensorToStore> tensors, bool strict = false) const {
    write_safetensors(folder_ / "model.safetensors", std::move(tensors));
    return {folder_, config_, layout_, strict};
  }

  std::vector<float> numbers_{1, 2, 3, 4, 5, 6};
  ParameterLayout layout_;
  ModelConfig config_;
};

TEST_F(ModelFolder, AnySliceIsReadByItself) {
  const StoredParameters parameters = stored(whole());
  std::vector<float> all(static_cast<std::size_t>(layout_.flat_size()));
  parameters.read(0, all);
  std::vector<float> expected(all.size());
  for (const ParameterEntry& entry : layout_.entries()) {
    for (std::int64_t i = 0; i < entry.size; ++i) {
      expected[static_cast<std::size_t>(entry.offset + i)] = numbers_[static_cast<std::size_t>(i)];
    }
  }
  EXPECT_EQ(all, expected);
  for (std::size_t first = 0; first < all.size(); ++first) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{17}, all.size() - first}) {
      if (first + count > all.size()) continue;
      std::vector<float> part(count, -1);
      parameters.read(static_cast<std::int64_t>(first), part);
      EXPECT_TRUE(
          std::equal(part.begin(), part.end(), expected.begin() + static_cast<long>(first)));
    }
  }
}

TEST_F(ModelFolder, ListsWhatIsMissing) {
  EXPECT_THAT(error_of([&] { stored({tensor("h.0.ln_1.bias", {2})}); }),
              HasSubstr("2 of 3 parameters are missing: transformer.wte.weight, lm_head.weight"));
  EXPECT_THAT(error_of([&] {
                stored({tensor("wte.weight", {3, 2}), tensor("h.0.ln_1.bias", {2})});
              }),
              HasSubstr("tie_word_embeddings"));
  auto both = whole();
  both.push_back(tensor("transformer.wte.weight", {3, 2}));
  EXPECT_THAT(error_of([&] { stored(both); }), HasSubstr("with and without 'transformer.'"));
}

TEST_F(ModelFolder, SaysWhichKeyAShapeComesFrom) {
  auto tensors = whole();
  tensors[0] = tensor("wte.weight", {2, 3});
  EXPECT_THAT(error_of([&] { stored(tensors); }),
              AllOf(HasSubstr("'transformer.wte.weight' is [2, 3], expected [3, 2]"),
                    HasSubstr("vocab_size x n_embd")));
  tensors[0] = tensor("wte.weight", {3, 2}, StoredType::kI32);
  EXPECT_THAT(error_of([&] { stored(tensors); }), HasSubstr("is I32, expected F32, F16 or BF16"));
  EXPECT_EQ(shape_keys("model.layers.1.self_attn.k_proj.weight", TransformerFamily::kLlama),
            "(num_key_value_heads * head_dim) x hidden_size");
  EXPECT_EQ(shape_keys("transformer.h.0.mlp.c_proj.weight", TransformerFamily::kGpt2),
            "n_inner x n_embd");
}

TEST_F(ModelFolder, ExtraTensorsAreNamedAndBuffersAreNot) {
  auto tensors = whole();
  tensors.push_back(tensor("h.0.attn.bias", {1, 1, 2, 2}));
  tensors.push_back(tensor("h.0.attn.masked_bias", {}));
  EXPECT_THAT(stored(tensors, true).unused(), IsEmpty());
  tensors.push_back(tensor("score.weight", {2}));
  EXPECT_THAT(stored(tensors).unused(), ElementsAre("score.weight"));
  EXPECT_THAT(error_of([&] { stored(tensors, true); }), HasSubstr("score.weight"));
}

TEST_F(ModelFolder, ATiedHeadEqualsTheEmbeddings) {
  ParameterLayout tied;
  tied.add("transformer.wte.weight", {3, 2}, 0, 0, true);
  layout_ = tied;
  config_.transformer.tied_embeddings = true;
  EXPECT_THAT(stored({tensor("wte.weight", {3, 2})}, true).unused(), IsEmpty());
  EXPECT_THAT(
      stored({tensor("wte.weight", {3, 2}), tensor("lm_head.weight", {3, 2})}, true).unused(),
      IsEmpty());
  static const std::vector<float> other{1, 2, 3, 4, 5, 7};
  EXPECT_THAT(error_of([&] {
                stored({tensor("wte.weight", {3, 2}),
                        stored_copy("lm_head.weight", StoredType::kF32, {3, 2},
                                    std::as_bytes(std::span(other)))});
              }),
              HasSubstr("lm_head.weight differs"));
}

TEST_F(ModelFolder, IsExportedWholeOrNotAtAll) {
  config_.transformer = parsed({{"model_type", "gpt2"}}).transformer;
  std::vector<float> flat(static_cast<std::size_t>(layout_.flat_size()), 0.5F);
  const fs::path tokenizer = put("tokenizer.json", "{}");
  const fs::path folder = folder_ / "out";
  export_model(folder, config_, layout_, flat, {StoredType::kBF16, 16, {tokenizer}});
  EXPECT_TRUE(fs::exists(folder / "tokenizer.json"));
  EXPECT_TRUE(fs::exists(folder / "model-00002-of-00002.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "out.partial"));
  EXPECT_EQ(read_model_config(folder).model_type, "gpt2");
  EXPECT_THAT(error_of([&] { export_model(folder, config_, layout_, flat); }, base::Code::kUsage),
              HasSubstr("already there"));
  EXPECT_THAT(
      error_of(
          [&] {
            export_model(folder_ / "b", config_, layout_, flat, {{}, 1, {folder_ / "none"}});
          },
          base::Code::kBug),
      HasSubstr("F32"));
  EXPECT_THAT(error_of(
                  [&] {
                    export_model(folder_ / "b", config_, layout_, flat,
                                 {StoredType::kF32, 1, {folder_ / "none"}});
                  },
                  base::Code::kIo),
              HasSubstr("none"));
  EXPECT_FALSE(fs::exists(folder_ / "b"));
}

TEST_F(ModelFolder, SaysWhatItFoundInstead) {
  put("readme.md", "");
  EXPECT_THAT(error_of([&] { read_model_config(folder_); }),
              HasSubstr("no config.json; found: readme.md"));
  EXPECT_THAT(error_of([&] { read_model_config(folder_ / "none"); }), HasSubstr("no such folder"));
  put("config.json", R"({"model_type":"llama"})");
  put("generation_config.json", R"({"eos_token_id":[7,8]})");
  EXPECT_THAT(read_model_config(folder_).eos, ElementsAre(7, 8));
}

}  // namespace
}  // namespace tenfold::nn
