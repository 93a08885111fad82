// config.json of Hugging Face's models, both ways.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nn/huggingface/json_document.hpp"
#include "nn/huggingface/stored_type.hpp"
#include "nn/transformer/transformer_config.hpp"

namespace tenfold::nn {

struct ModelConfig {
  TransformerConfig transformer;
  std::string model_type;             ///< "llama", "mistral", "gpt2"
  std::optional<std::int64_t> bos{};  ///< bos_token_id
  std::vector<std::int64_t> eos{};    ///< eos_token_id: none, one or several
};

/// The model that config.json describes, with the defaults of transformers' classes where a key is
/// missing; rotary positions in either style (rope_theta with rope_scaling, or rope_parameters).
/// Dropout keys are not read: nothing here drops out. Throws Code::kData naming the key where the
/// model would compute something that TransformerConfig cannot say: another model_type, rope type
/// or activation, biases of Llama's projections, quantization, other scales of attention.
ModelConfig parse_model_config(const JsonDocument& document);

/// A model of our own, as the class of transformers that computes it: Mistral where there is a
/// sliding window or heads do not divide the width, else Llama, or GPT-2.
ModelConfig make_model_config(const TransformerConfig& transformer);

/// The text of config.json; type: of the weights beside it. Old and new versions of transformers
/// read it (the rotary keys are those of the old style, which both know).
std::string model_config_text(const ModelConfig& config, StoredType type);

/// The text of generation_config.json: bos_token_id and eos_token_id.
std::string generation_config_text(const ModelConfig& config);

/// The key of config.json that gives a parameter its extents, for errors: "num_attention_heads *
/// head_dim x hidden_size". "" for a name of no layout.
std::string shape_keys(const std::string& parameter, TransformerFamily family);

}  // namespace tenfold::nn
