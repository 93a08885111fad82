// A language model with its tokenizer: made, read from a directory, written to one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "dataset/tokenizer/tokenizer.hpp"
#include "mcts_dpo/config.hpp"
#include "nn/huggingface/model_config.hpp"
#include "nn/transformer/transformer.hpp"

namespace tenfold::mcts_dpo {

class Policy {
 public:
  /// From --model, or a fresh one of the options' shape with the words of --task. Not collective.
  /// Throws Code::kData, Code::kIo naming what is wrong in the directory, Code::kUsage.
  Policy(const Config& config, std::uint32_t seed, const at::Device& device);

  const nn::Transformer& model() const { return *model_; }
  const dataset::Tokenizer& tokenizer() const { return *tokenizer_; }
  const at::Tensor& parameters() const { return parameters_; }  ///< float32 [flat_size]
  /// xxh64 of the parameters as they were made or read: names the reference policy.
  const std::string& digest() const { return digest_; }
  /// Tensors of the directory that the model has no place for.
  const std::vector<std::string>& unused() const { return unused_; }

  /// Writes parameters and tokenizer as a Hugging Face directory, which must be empty or not exist.
  /// Throws Code::kUsage, Code::kIo.
  void write(const std::string& directory, const std::string& type) const;

 private:
  void read(const std::string& directory);
  void make(const Config& config, std::uint32_t seed);

  nn::ModelConfig description_;
  std::unique_ptr<nn::Transformer> model_;
  std::unique_ptr<dataset::Tokenizer> tokenizer_;
  at::Tensor parameters_;
  std::string digest_;
  std::vector<std::string> unused_;
};

}  // namespace tenfold::mcts_dpo
