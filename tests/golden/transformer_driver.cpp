// transformer_driver FOLDER...: for test_transformers.py. Loads each folder's model, runs the
// sequences of its inputs.safetensors (tokens [B, L], lengths [B]) and writes outputs.safetensors:
// logits in two types, of rows alone, log-probabilities, gradients of the mean token loss, greedy
// text behind each row from both decoding engines. Exports the model as it was read, in float32,
// and in bfloat16 in shards.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.hpp"
#include "nn/huggingface/adapter_directory.hpp"
#include "nn/huggingface/model_directory.hpp"
#include "nn/transformer/lora.hpp"
#include "support/greedy_decoding.hpp"

namespace {

using namespace tenfold;
namespace fs = std::filesystem;

at::Tensor integers(const nn::SafetensorsFile& file, const char* name) {
  const nn::StoredTensor& stored = *file.find(name);
  const at::Tensor tensor = at::empty(stored.shape, at::kLong);
  const auto bytes = file.bytes(stored);
  std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

class Outputs {
 public:
  void add(const std::string& name, const at::Tensor& tensor) {
    kept_.push_back(tensor.detach().to(at::kFloat).contiguous());
    const at::Tensor& last = kept_.back();
    const std::span<const float> values(last.data_ptr<float>(),
                                        static_cast<std::size_t>(last.numel()));
    stored_.push_back(
        nn::stored_copy(name, nn::StoredType::kF32, last.sizes().vec(), std::as_bytes(values)));
  }
  void write(const fs::path& path) { nn::write_safetensors(path, std::move(stored_)); }

 private:
  std::vector<at::Tensor> kept_;
  std::vector<nn::TensorToStore> stored_;
};

std::span<float> values_of(const at::Tensor& flat) {
  return {flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel())};
}

struct Inputs {
  at::Tensor tokens, lengths;
};

at::Tensor block_logits(const nn::TransformerWeights& weights, const at::Tensor& tokens,
                        const at::Tensor& lengths) {
  const at::NoGradGuard none;
  return weights.logits(
      weights.hidden(nn::causal_block(tokens, lengths, weights.model().config())));
}

void add_logits(const nn::Transformer& model, const at::Tensor& flat, const Inputs& inputs,
                Outputs& outputs) {
  const nn::TransformerWeights weights(model, flat);
  outputs.add("logits.f32", block_logits(weights, inputs.tokens, inputs.lengths));
  for (std::int64_t b = 0; b < inputs.tokens.size(0); ++b) {
    const at::Tensor length = inputs.lengths.narrow(0, b, 1);
    const at::Tensor row = inputs.tokens.narrow(0, b, 1).narrow(1, 0, length.item().toLong());
    outputs.add(fmt::format("alone.{}", b), block_logits(weights, row, length));
  }
  const at::Tensor half = flat.to(at::kBFloat16);
  const nn::TransformerWeights halves(model, half);
  outputs.add("logits.bf16", block_logits(halves, inputs.tokens, inputs.lengths));
}

// Mean over all tokens but each row's first of -log p, and its gradient.
at::Tensor token_losses(const nn::TransformerWeights& weights, const Inputs& inputs) {
  const at::Tensor hidden =
      weights.hidden(nn::causal_block(inputs.tokens, inputs.lengths, weights.model().config()));
  std::vector<at::Tensor> rows, targets;
  for (std::int64_t b = 0; b < inputs.tokens.size(0); ++b) {
    const std::int64_t count = inputs.lengths[b].item().toLong() - 1;
    rows.push_back(hidden[b].narrow(0, 0, count));
    targets.push_back(inputs.tokens[b].narrow(0, 1, count));
  }
  return weights.log_probabilities(at::cat(rows), at::cat(targets), 7);
}

void add_gradients(const nn::ParameterLayout& layout, const at::Tensor& gradient,
                   Outputs& outputs) {
  for (const nn::ParameterEntry& entry : layout.entries()) {
    outputs.add("gradient." + entry.name,
                gradient.narrow(0, entry.offset, entry.size).view(entry.shape));
  }
}

// 32 tokens, or as many as the model has positions for.
void add_greedy_text(const nn::Transformer& model, const at::Tensor& flat, const Inputs& inputs,
                     Outputs& outputs) {
  for (const bool fused : {true, false}) {
    const auto engine =
        fused ? nn::make_fused_decoding(model, {}) : nn::make_torch_decoding(model, {});
    engine->set_parameters(flat);
    for (std::int64_t b = 0; b < inputs.tokens.size(0); ++b) {
      const std::int64_t length = inputs.lengths[b].item().toLong();
      const auto* const row = inputs.tokens[b].const_data_ptr<std::int64_t>();
      const test::GreedyText text =
          test::greedy_text(*engine, {row, row + length},
                            std::min<std::int64_t>(32, model.config().positions - length));
      const at::Tensor tokens = at::empty({std::ssize(text.tokens)}, at::kFloat);
      std::copy(text.tokens.begin(), text.tokens.end(), tokens.data_ptr<float>());
      outputs.add(fmt::format("greedy.{}.{}", fused ? "fused" : "torch", b), tokens);
    }
  }
}

struct Model {
  const nn::ModelConfig& config;
  const nn::Transformer& transformer;
  const at::Tensor& flat;
};

void run_adapters(const fs::path& folder, const Model& model, const Inputs& inputs) {
  const auto family = model.config.transformer.family;
  const nn::Lora lora(model.transformer, nn::read_adapter_config(folder / "adapter", family));
  const at::Tensor adapters = at::empty({lora.parameters().flat_size()}, at::kFloat);
  nn::read_adapters(folder / "adapter", lora.parameters(), values_of(adapters));

  Outputs outputs;
  const at::Tensor gradient = at::zeros_like(adapters);
  const nn::TransformerWeights weights(model.transformer, model.flat, {},
                                       {&lora, adapters, gradient});
  outputs.add("logits.f32", block_logits(weights, inputs.tokens, inputs.lengths));
  token_losses(weights, inputs).mean().neg().backward();
  add_gradients(lora.parameters(), gradient, outputs);
  const at::Tensor merged = model.flat.clone();
  lora.merge(adapters, merged);
  const nn::TransformerWeights whole(model.transformer, merged);
  outputs.add("merged.f32", block_logits(whole, inputs.tokens, inputs.lengths));
  outputs.write(folder / "adapted.safetensors");

  nn::export_model(folder / "merged", model.config, model.transformer.parameters(),
                   values_of(merged));
  nn::export_adapters(folder / "adapter_again", lora.config(), family, folder.string(),
                      lora.parameters(), values_of(adapters));
}

void run(const fs::path& folder) {
  const nn::ModelConfig config = nn::read_model_config(folder);
  const nn::Transformer model(config.transformer);
  const nn::StoredParameters stored(folder, config, model.parameters(), true);
  const at::Tensor flat = at::empty({model.parameters().flat_size()}, at::kFloat);
  stored.read(0, values_of(flat));
  const nn::SafetensorsFile file(folder / "inputs.safetensors");
  const Inputs inputs{integers(file, "tokens"), integers(file, "lengths")};

  Outputs outputs;
  add_logits(model, flat, inputs, outputs);
  const at::Tensor gradient = at::zeros_like(flat);
  const nn::TransformerWeights weights(model, flat, gradient);
  const at::Tensor chosen = token_losses(weights, inputs);
  chosen.mean().neg().backward();
  outputs.add("log_probabilities", chosen);
  add_gradients(model.parameters(), gradient, outputs);
  add_greedy_text(model, flat, inputs, outputs);
  outputs.write(folder / "outputs.safetensors");

  nn::export_model(folder / "exported", config, model.parameters(), values_of(flat));
  nn::export_model(folder / "exported_bf16", config, model.parameters(), values_of(flat),
                   {nn::StoredType::kBF16, 20'000});
  if (fs::exists(folder / "adapter")) run_adapters(folder, {config, model, flat}, inputs);
}

void copy_file(const fs::path& from, const fs::path& to) {
  const nn::SafetensorsFile file(from);
  std::vector<nn::TensorToStore> tensors;
  for (const nn::StoredTensor& each : file.header().tensors) {
    tensors.push_back(nn::stored_copy(each.name, each.type, each.shape, file.bytes(each)));
  }
  nn::write_safetensors(to, std::move(tensors), file.header().metadata);
}

void judge(const fs::path& path) {
  try {
    const nn::SafetensorsFile file(path);
    fmt::print("valid\n");
  } catch (const base::Error& error) {
    fmt::print("{}\n", error.message());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::string_view(argv[1]) == "--copy") {
      copy_file(argv[2], argv[3]);
      return EXIT_SUCCESS;
    }
    const bool verdicts = argc > 1 && std::string_view(argv[1]) == "--verdicts";
    for (int i = verdicts ? 2 : 1; i < argc; ++i) verdicts ? judge(argv[i]) : run(argv[i]);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "transformer_driver: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
