#include "nn/huggingface/model_config.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::nn {

namespace {

constexpr const char* kOnly =
    "Models that Tenfold reads: llama, mistral (SwiGLU, no biases) and gpt2";

// What a key must not say, because nothing here computes it.
void refuse_true(const JsonDocument& document, const char* key, bool otherwise = false) {
  if (document.boolean(key, otherwise)) document.refuse(key, "= true is not supported", kOnly);
}

void refuse_present(const JsonDocument& document, const char* key) {
  if (document.has(key)) document.refuse(key, "is not supported", kOnly);
}

std::string one_of(const JsonDocument& document, const char* key, const char* otherwise,
                   std::initializer_list<std::string_view> known) {
  std::string value = document.text(key, otherwise);
  if (std::find(known.begin(), known.end(), value) == known.end()) {
    document.refuse(key, fmt::format("= '{}' is not supported", base::printable(value)),
                    fmt::format("Known here: {}", fmt::join(known, ", ")));
  }
  return value;
}

Llama3Rope read_llama3(const JsonDocument& config, const JsonDocument& rope) {
  for (const char* key : {"factor", "low_freq_factor", "high_freq_factor"}) {
    if (!rope.has(key)) rope.refuse(key, "is missing", "rope_type llama3 needs it");
  }
  Llama3Rope scaled;
  scaled.factor = rope.number("factor", 0);
  scaled.low = rope.number("low_freq_factor", 0);
  scaled.high = rope.number("high_freq_factor", 0);
  constexpr const char* kOriginal = "original_max_position_embeddings";
  const JsonDocument& holder = config.has(kOriginal) ? config : rope;
  scaled.original_positions =
      holder.integer(kOriginal, config.integer("max_position_embeddings", 0));
  return scaled;
}

void read_rope(const JsonDocument& document, TransformerConfig& config) {
  const JsonDocument scaling = document.object("rope_scaling");
  const JsonDocument parameters = document.object("rope_parameters");
  if (!scaling.json().empty() && !parameters.json().empty() &&
      scaling.json() != parameters.json()) {
    document.refuse("rope_scaling", "and rope_parameters say different things", "Keep one");
  }
  const JsonDocument& rope = scaling.json().empty() ? parameters : scaling;
  for (const auto& [key, value] : rope.json().items()) {
    if (value.is_object()) {
      rope.refuse(key, "is not supported: positions of its own for a kind of layer", kOnly);
    }
  }
  for (const JsonDocument* each : {&document, &rope}) {
    if (each->number("partial_rotary_factor", 1) != 1) {
      each->refuse("partial_rotary_factor", "other than 1 is not supported", kOnly);
    }
  }
  config.rope_theta = rope.number("rope_theta", document.number("rope_theta", 10000));
  const char* const key = rope.has("rope_type") || !rope.has("type") ? "rope_type" : "type";
  if (one_of(rope, key, "default", {"default", "llama3"}) == "llama3") {
    config.llama3_rope = read_llama3(document, rope);
  }
}

// layer_types may only say again what sliding_window says.
void check_layer_types(const JsonDocument& document, const TransformerConfig& config) {
  const char* const wanted = config.sliding_window ? "sliding_attention" : "full_attention";
  for (const std::string& type : document.texts("layer_types")) {
    if (type != wanted) {
      document.refuse("layer_types", fmt::format("with '{}' is not supported", type),
                      "All layers must have the attention that sliding_window says");
    }
  }
}

TransformerConfig read_llama(const JsonDocument& document, bool mistral) {
  TransformerConfig config;
  config.family = TransformerFamily::kLlama;
  config.vocabulary = document.integer("vocab_size", 32000);
  config.width = document.integer("hidden_size", 4096);
  config.feed_forward = document.integer("intermediate_size", mistral ? 14336 : 11008);
  config.layers = document.integer("num_hidden_layers", 32);
  config.heads = document.integer("num_attention_heads", 32);
  // Mistral's class has 8 where the key is missing, but as many as heads where it is null.
  const bool given = document.json().contains("num_key_value_heads");
  config.kv_heads = document.integer("num_key_value_heads", mistral && !given ? 8 : config.heads);
  if (!document.has("head_dim") && (config.heads <= 0 || config.width % config.heads != 0)) {
    document.refuse(
        "hidden_size",
        fmt::format("= {} is no multiple of num_attention_heads = {}", config.width, config.heads),
        "Correct them, or give head_dim");
  }
  config.head_width =
      document.has("head_dim") ? document.integer("head_dim", 0) : config.width / config.heads;
  config.positions = document.integer("max_position_embeddings", mistral ? 131072 : 2048);
  config.norm_epsilon = document.number("rms_norm_eps", 1e-6);
  config.tied_embeddings = document.boolean("tie_word_embeddings", false);
  one_of(document, "hidden_act", "silu", {"silu", "swish"});
  refuse_true(document, "attention_bias");
  refuse_true(document, "mlp_bias");
  read_rope(document, config);
  if (mistral) {
    const bool window_given = document.json().contains("sliding_window");
    if (!window_given) config.sliding_window = 4096;
    if (document.has("sliding_window")) {
      config.sliding_window = document.integer("sliding_window", 0);
    }
  } else {
    refuse_present(document, "sliding_window");
  }
  check_layer_types(document, config);
  return config;
}

TransformerConfig read_gpt2(const JsonDocument& document) {
  TransformerConfig config;
  config.family = TransformerFamily::kGpt2;
  // transformers takes the common name of a key as well as GPT-2's own.
  const auto either = [&](const char* own, const char* common, std::int64_t otherwise) {
    return document.integer(own, document.integer(common, otherwise));
  };
  config.vocabulary = document.integer("vocab_size", 50257);
  config.width = either("n_embd", "hidden_size", 768);
  config.layers = either("n_layer", "num_hidden_layers", 12);
  config.heads = either("n_head", "num_attention_heads", 12);
  config.positions = either("n_positions", "max_position_embeddings", 1024);
  config.kv_heads = config.heads;
  if (config.heads <= 0 || config.width % config.heads != 0) {
    document.refuse("n_embd",
                    fmt::format("= {} is no multiple of n_head = {}", config.width, config.heads),
                    "Correct them");
  }
  config.head_width = config.width / config.heads;
  config.feed_forward = document.integer("n_inner", 4 * config.width);
  config.norm_epsilon = document.number("layer_norm_epsilon", 1e-5);
  config.tied_embeddings = document.boolean("tie_word_embeddings", true);
  one_of(document, "activation_function", "gelu_new", {"gelu_new", "gelu_pytorch_tanh"});
  if (!document.boolean("scale_attn_weights", true)) {
    document.refuse("scale_attn_weights", "= false is not supported", kOnly);
  }
  refuse_true(document, "scale_attn_by_inverse_layer_idx");
  refuse_true(document, "add_cross_attention");
  return config;
}

void write_llama(const TransformerConfig& c, bool mistral, nlohmann::ordered_json& json) {
  json["hidden_size"] = c.width;
  json["intermediate_size"] = c.feed_forward;
  json["num_hidden_layers"] = c.layers;
  json["num_attention_heads"] = c.heads;
  json["num_key_value_heads"] = c.kv_heads;
  json["head_dim"] = c.head_width;
  json["max_position_embeddings"] = c.positions;
  json["hidden_act"] = "silu";
  json["rms_norm_eps"] = c.norm_epsilon;
  json["rope_theta"] = c.rope_theta;
  json["rope_scaling"] = nullptr;
  if (c.llama3_rope) {
    json["rope_scaling"] = {
        {"rope_type", "llama3"},
        {"factor", c.llama3_rope->factor},
        {"low_freq_factor", c.llama3_rope->low},
        {"high_freq_factor", c.llama3_rope->high},
        {"original_max_position_embeddings", c.llama3_rope->original_positions}};
  }
  if (mistral) {
    json["sliding_window"] = nullptr;
    if (c.sliding_window) json["sliding_window"] = *c.sliding_window;
  } else {
    json["attention_bias"] = false;
    json["mlp_bias"] = false;
  }
}

void write_gpt2(const TransformerConfig& c, nlohmann::ordered_json& json) {
  json["n_embd"] = c.width;
  json["n_layer"] = c.layers;
  json["n_head"] = c.heads;
  json["n_positions"] = c.positions;
  json["n_inner"] = c.feed_forward;
  json["activation_function"] = "gelu_new";
  json["layer_norm_epsilon"] = c.norm_epsilon;
}

void write_special_tokens(const ModelConfig& config, nlohmann::ordered_json& json) {
  json["bos_token_id"] = nullptr;
  if (config.bos) json["bos_token_id"] = *config.bos;
  json["eos_token_id"] = nullptr;
  if (config.eos.size() == 1) json["eos_token_id"] = config.eos[0];
  if (config.eos.size() > 1) json["eos_token_id"] = config.eos;
}

}  // namespace

ModelConfig parse_model_config(const JsonDocument& document) {
  if (!document.has("model_type")) document.refuse("model_type", "is missing", kOnly);
  refuse_present(document, "quantization_config");
  ModelConfig config;
  config.model_type = one_of(document, "model_type", "", {"llama", "mistral", "gpt2"});
  const bool gpt2 = config.model_type == "gpt2";
  config.transformer =
      gpt2 ? read_gpt2(document) : read_llama(document, config.model_type == "mistral");
  const auto special = [&](const char* key, std::int64_t otherwise) {
    return document.json().contains(key) ? document.integers(key) : std::vector{otherwise};
  };
  const std::vector<std::int64_t> bos = special("bos_token_id", gpt2 ? 50256 : 1);
  if (!bos.empty()) config.bos = bos[0];
  config.eos = special("eos_token_id", gpt2 ? 50256 : 2);
  try {
    config.transformer.validate();
  } catch (const base::Error& error) {
    throw base::Error(base::Code::kData, fmt::format("{}: {}", document.file(), error.message()),
                      error.hint());
  }
  return config;
}

ModelConfig make_model_config(const TransformerConfig& transformer) {
  transformer.validate();
  if (transformer.family == TransformerFamily::kGpt2) return {transformer, "gpt2"};
  const bool mistral = transformer.sliding_window || transformer.width % transformer.heads != 0;
  return {transformer, mistral ? "mistral" : "llama"};
}

std::string model_config_text(const ModelConfig& config, StoredType type) {
  const bool gpt2 = config.model_type == "gpt2";
  const bool mistral = config.model_type == "mistral";
  nlohmann::ordered_json json;
  json["architectures"] = {gpt2      ? "GPT2LMHeadModel"
                           : mistral ? "MistralForCausalLM"
                                     : "LlamaForCausalLM"};
  json["model_type"] = config.model_type;
  json["vocab_size"] = config.transformer.vocabulary;
  gpt2 ? write_gpt2(config.transformer, json) : write_llama(config.transformer, mistral, json);
  json["tie_word_embeddings"] = config.transformer.tied_embeddings;
  write_special_tokens(config, json);
  json["torch_dtype"] = type == StoredType::kF32   ? "float32"
                        : type == StoredType::kF16 ? "float16"
                                                   : "bfloat16";
  return json.dump(2) + "\n";
}

std::string generation_config_text(const ModelConfig& config) {
  nlohmann::ordered_json json;
  write_special_tokens(config, json);
  return json.dump(2) + "\n";
}

std::string shape_keys(const std::string& parameter, TransformerFamily family) {
  using Keys = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Keys, 12> kLlama{
      {{"embed_tokens.weight", "vocab_size x hidden_size"},
       {"lm_head.weight", "vocab_size x hidden_size"},
       {"q_proj.weight", "(num_attention_heads * head_dim) x hidden_size"},
       {"k_proj.weight", "(num_key_value_heads * head_dim) x hidden_size"},
       {"v_proj.weight", "(num_key_value_heads * head_dim) x hidden_size"},
       {"o_proj.weight", "hidden_size x (num_attention_heads * head_dim)"},
       {"gate_proj.weight", "intermediate_size x hidden_size"},
       {"up_proj.weight", "intermediate_size x hidden_size"},
       {"down_proj.weight", "hidden_size x intermediate_size"},
       {"layernorm.weight", "hidden_size"},
       {"norm.weight", "hidden_size"}}};
  static constexpr std::array<Keys, 12> kGpt2{{{"wte.weight", "vocab_size x n_embd"},
                                               {"lm_head.weight", "vocab_size x n_embd"},
                                               {"wpe.weight", "n_positions x n_embd"},
                                               {"c_attn.weight", "n_embd x (3 * n_embd)"},
                                               {"c_attn.bias", "3 * n_embd"},
                                               {"attn.c_proj.weight", "n_embd x n_embd"},
                                               {"mlp.c_proj.weight", "n_inner x n_embd"},
                                               {"c_proj.bias", "n_embd"},
                                               {"c_fc.weight", "n_embd x n_inner"},
                                               {"c_fc.bias", "n_inner"},
                                               {".weight", "n_embd"},
                                               {".bias", "n_embd"}}};
  for (const auto& [suffix, keys] : family == TransformerFamily::kLlama ? kLlama : kGpt2) {
    if (!suffix.empty() && parameter.ends_with(suffix)) return std::string(keys);
  }
  return "";
}

}  // namespace tenfold::nn
