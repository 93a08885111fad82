// A language model with its tokenizer: made, read from a directory, written to one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "dataset/tokenizer/tokenizer.hpp"
#include "mcts_dpo/config.hpp"
#include "nn/huggingface/model_config.hpp"
#include "nn/transformer/lora.hpp"
#include "nn/transformer/transformer.hpp"

namespace tenfold::mcts_dpo {

class Policy {
 public:
  /// From --model, or a fresh one of the options' shape with the words of --task. Not collective.
  /// Throws Code::kData, Code::kIo naming what is wrong in the directory, Code::kUsage.
  Policy(const Config& config, std::uint32_t seed, const at::Device& device);

  const nn::Transformer& model() const { return *model_; }
  const dataset::Tokenizer& tokenizer() const { return *tokenizer_; }
  /// float32 [flat_size]; beside adapters in bfloat16 on the host, else on the device.
  const at::Tensor& parameters() const { return parameters_; }
  /// What learns: the parameters, or the adapters where there are any.
  const at::Tensor& learned() const { return lora_ ? adapters_ : parameters_; }
  const nn::ParameterLayout& learned_layout() const {
    return lora_ ? lora_->parameters() : model_->parameters();
  }
  /// The policy as LibTorch sees it, in --learn-type; gradient: nothing, or as learned(). In
  /// bfloat16 it is a rounded copy, as new as the last refresh.
  nn::TransformerWeights weights(const at::Tensor& gradient = {}) const;
  /// Brings what weights() computes with up to date with learned().
  void refresh() const;
  /// The policy in the model's layout, to decode with: the parameters themselves, or a copy with
  /// the adapters added.
  at::Tensor merged() const { return merged(learned()); }
  /// The same with other values of what learns.
  at::Tensor merged(const at::Tensor& learned) const;
  /// The policy that it is now, in the model's layout and in --learn-type, so that it gives what
  /// weights() would: a copy, or with adapters what they learn on, which stays as it is.
  at::Tensor reference() const { return lora_ ? computed_ : computed_.clone(); }
  /// xxh64 of the parameters as they were made or read: names the reference policy.
  const std::string& digest() const { return digest_; }
  /// Tensors of the directory that the model has no place for.
  const std::vector<std::string>& unused() const { return unused_; }

  /// Writes parameters and tokenizer as a Hugging Face directory, which must be empty or not exist.
  /// Throws Code::kUsage, Code::kIo.
  void write(const std::string& directory, const std::string& type) const;
  /// Writes the adapters as PEFT's directory, onto base. Throws as write.
  void write_adapters(const std::string& directory, const std::string& base) const;

 private:
  void read(const std::string& directory, bool strict);
  void require_finite(const std::string& directory) const;
  void make(const Config& config, std::uint32_t seed);
  void adapt(const Config& config, std::uint32_t seed);

  nn::ModelConfig description_;
  std::unique_ptr<nn::Transformer> model_;
  std::unique_ptr<dataset::Tokenizer> tokenizer_;
  std::unique_ptr<nn::Lora> lora_;
  at::Tensor parameters_, adapters_;
  /// What weights() sees: the two above, or rounded copies of them.
  at::Tensor computed_, computed_adapters_;
  bool recompute_ = false;
  std::string digest_;
  std::vector<std::string> unused_;
};

}  // namespace tenfold::mcts_dpo
