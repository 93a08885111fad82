// Whole models in Hugging Face's folders: config.json and weights. Nothing here is collective: each
// rank may read for itself, and errors are the caller's to agree on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "nn/huggingface/model_config.hpp"
#include "nn/huggingface/safetensors_folder.hpp"
#include "nn/parameter_layout.hpp"

namespace tenfold::nn {

/// A folder's config.json. eos is generation_config.json's where that file names any, as generation
/// in transformers has it. Throws Code::kData (no such file, with what was found; its content),
/// Code::kIo.
ModelConfig read_model_config(const std::filesystem::path& folder);

/// A folder's weights as the flat parameters of a model (Transformer::parameters()).
class StoredParameters {
 public:
  /// layout must outlive this. Names of a bare model ("wte.weight", "layers.0...") are taken for
  /// "transformer.wte.weight", "model.layers.0..."; buffers that follow from the configuration
  /// (GPT-2's attention masks, rotary frequencies) are left alone; a head stored beside tied
  /// embeddings must equal them. Throws Code::kData: parameters that are missing (all of them), of
  /// another shape (with the keys of config.json that say so) or type than F32, F16, BF16, tensors
  /// that the model has no place for, where strict. Code::kIo.
  StoredParameters(const std::filesystem::path& folder, const ModelConfig& config,
                   const ParameterLayout& layout, bool strict = false);

  /// Elements first, first + 1, ... of the flat buffer, as many as values has; gaps are zero. Reads
  /// only what they need.
  void read(std::int64_t first, std::span<float> values) const;
  /// Tensors that the model has no place for, to warn of; empty if strict.
  const std::vector<std::string>& unused() const { return unused_; }

 private:
  void place_all();
  void check_shapes() const;
  void find_unused(bool strict);
  void check_tied_head() const;

  SafetensorsFolder tensors_;
  const ModelConfig config_;
  const ParameterLayout* layout_;
  std::vector<SafetensorsFolder::Place> places_;  ///< one for each entry of layout
  std::vector<std::string> unused_;
};

struct ExportOptions {
  StoredType type = StoredType::kF32;               ///< or kBF16, kF16
  std::uint64_t max_shard_bytes = 5'000'000'000;    ///< of one file
  std::vector<std::filesystem::path> more_files{};  ///< copied into the folder: the tokenizer's
};

/// Writes a folder that AutoModelForCausalLM.from_pretrained loads: config.json,
/// generation_config.json, weights. flat: [flat_size] of layout. The folder takes its name when all
/// is written. Throws Code::kUsage where it is there and not empty, Code::kIo.
void export_model(const std::filesystem::path& folder, const ModelConfig& config,
                  const ParameterLayout& layout, std::span<const float> flat,
                  const ExportOptions& options = {});

}  // namespace tenfold::nn
