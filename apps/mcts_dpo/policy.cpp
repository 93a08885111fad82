#include "mcts_dpo/policy.hpp"

#include <ATen/ops/zeros.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "mcts_dpo/question_sets.hpp"
#include "nn/huggingface/adapter_directory.hpp"
#include "nn/huggingface/folder_export.hpp"
#include "nn/huggingface/model_directory.hpp"

namespace tenfold::mcts_dpo {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

std::span<float> values_of(const at::Tensor& host) {
  return {host.data_ptr<float>(), static_cast<std::size_t>(host.numel())};
}

nn::TransformerConfig shape_of(const Config& config, std::int64_t vocabulary) {
  nn::TransformerConfig shape;
  if (config.family == "gpt2") shape.family = nn::TransformerFamily::kGpt2;
  if (config.width % config.heads != 0) {
    throw Error(Code::kUsage,
                fmt::format("--heads {} does not divide --width {}", config.heads, config.width),
                "A fresh model's heads share its width");
  }
  shape.vocabulary = vocabulary;
  shape.width = config.width;
  shape.layers = config.layers;
  shape.heads = config.heads;
  shape.kv_heads = config.kv_heads == 0 ? config.heads : config.kv_heads;
  shape.head_width = config.width / config.heads;
  shape.feed_forward = config.feed_forward;
  shape.positions = config.positions;
  shape.tied_embeddings = config.tied_embeddings;
  return shape;
}

}  // namespace

Policy::Policy(const Config& config, std::uint32_t seed, const at::Device& device) {
  recompute_ = config.recompute;
  config.model.empty() ? make(config, seed) : read(config.model, config.strict);
  digest_ = fmt::format("{:016x}", base::xxh64(std::as_bytes(values_of(parameters_))));
  if (config.lora_rank > 0) adapt(config, seed);
  const bool half = config.learn_type == "bfloat16";
  const at::ScalarType type = half ? at::kBFloat16 : at::kFloat;
  computed_ = parameters_.to(device, type);
  if (!lora_) {
    parameters_ = half ? parameters_.to(device) : computed_;
    return;
  }
  // Nothing computes with float32 parameters that have a copy and never change: the host keeps
  // them.
  if (!half) parameters_ = computed_;
  adapters_ = adapters_.to(device);
  computed_adapters_ = adapters_.to(type);
}

void Policy::adapt(const Config& config, std::uint32_t seed) {
  nn::LoraConfig lora;
  lora.rank = config.lora_rank;
  lora.alpha = config.lora_alpha;
  if (config.lora_targets == "all") {
    for (const auto& group : nn::adaptable_modules(description_.transformer.family)) {
      lora.targets.insert(lora.targets.end(), group.begin(), group.end());
    }
  } else {
    lora.targets = base::split(config.lora_targets, ',');
  }
  lora_ = std::make_unique<nn::Lora>(*model_, lora);
  adapters_ = at::zeros({lora_->parameters().flat_size()}, at::kFloat);
  lora_->initialize(adapters_, seed);
}

nn::TransformerWeights Policy::weights(const at::Tensor& gradient) const {
  nn::TransformerWeights weights =
      lora_ ? nn::TransformerWeights(*model_, computed_, {},
                                     {lora_.get(), computed_adapters_, gradient})
            : nn::TransformerWeights(*model_, computed_, gradient);
  weights.set_recompute(recompute_);
  return weights;
}

void Policy::refresh() const {
  if (computed_.scalar_type() == parameters_.scalar_type()) return;
  // What adapters are added to never changes.
  lora_ ? computed_adapters_.copy_(adapters_) : computed_.copy_(parameters_);
}

at::Tensor Policy::merged(const at::Tensor& learned) const {
  if (!lora_) return learned;
  at::Tensor flat = parameters_.clone();
  lora_->merge(learned.to(flat.device()), flat);
  return flat;
}

void Policy::make(const Config& config, std::uint32_t seed) {
  const std::unique_ptr<GeneratedTask> task = make_task(config, seed, 0);
  base::require(task != nullptr, "Policy: a fresh model needs a generated task");
  std::vector<std::string> words = task->words();
  for (const std::string& word : prompt_words(config)) {
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  dataset::SpecialTokens specials;
  specials.bos = "<s>";
  specials.eos = "</s>";
  tokenizer_ = dataset::make_word_tokenizer(words, specials);
  description_ = nn::make_model_config(shape_of(config, tokenizer_->vocabulary_size()));
  description_.bos = *tokenizer_->bos();
  description_.eos = {*tokenizer_->eos()};
  model_ = std::make_unique<nn::Transformer>(description_.transformer);
  parameters_ = at::zeros({model_->parameters().flat_size()}, at::kFloat);
  model_->initialize(parameters_, seed);
}

void Policy::read(const std::string& directory, bool strict) {
  const fs::path folder(directory);
  description_ = nn::read_model_config(folder);
  model_ = std::make_unique<nn::Transformer>(description_.transformer);
  tokenizer_ = dataset::load_tokenizer(directory);
  if (tokenizer_->vocabulary_size() > description_.transformer.vocabulary) {
    throw Error(
        Code::kData,
        fmt::format("{}: the tokenizer has {} tokens, the model's embedding {} rows", directory,
                    tokenizer_->vocabulary_size(), description_.transformer.vocabulary),
        "Tokenizer and weights are not of one model");
  }
  const nn::StoredParameters stored(folder, description_, model_->parameters(), strict);
  unused_ = stored.unused();
  parameters_ = at::zeros({model_->parameters().flat_size()}, at::kFloat);
  stored.read(0, values_of(parameters_));
  require_finite(directory);
}

void Policy::require_finite(const std::string& directory) const {
  const std::span<const float> values = values_of(parameters_);
  for (const nn::ParameterEntry& entry : model_->parameters().entries()) {
    const auto part = values.subspan(static_cast<std::size_t>(entry.offset),
                                     static_cast<std::size_t>(entry.size));
    const auto bad =
        std::count_if(part.begin(), part.end(), [](float value) { return !std::isfinite(value); });
    if (bad == 0) continue;
    throw Error(Code::kData,
                fmt::format("{}: {} of the {} numbers of {} are not finite", directory, bad,
                            part.size(), entry.name),
                "The model was spoilt in training or in copying: take an earlier one");
  }
}

void Policy::write(const std::string& directory, const std::string& type) const {
  const at::Tensor host = merged().to(at::kCPU).contiguous();
  nn::ExportOptions options;
  options.type = type == "bfloat16" ? nn::StoredType::kBF16 : nn::StoredType::kF32;
  nn::write_folder(directory, [&](const fs::path& partial) {
    nn::export_model(partial, description_, model_->parameters(), values_of(host), options);
    tokenizer_->save(partial);
  });
}

void Policy::write_adapters(const std::string& directory, const std::string& base) const {
  const at::Tensor host = adapters_.to(at::kCPU).contiguous();
  nn::export_adapters(directory, lora_->config(), description_.transformer.family, base,
                      lora_->parameters(), values_of(host));
}

}  // namespace tenfold::mcts_dpo
