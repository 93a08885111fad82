// Low-rank adapters in PEFT's folders: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "nn/huggingface/stored_type.hpp"
#include "nn/parameter_layout.hpp"
#include "nn/transformer/lora_config.hpp"

namespace tenfold::nn {

/// A folder's adapter_config.json. Throws Code::kData where adapters of another kind are meant
/// (DoRA, scales by the root of the rank, ranks that differ, biases, whole modules, start values
/// that change the base model), naming the key; Code::kIo.
LoraConfig read_adapter_config(const std::filesystem::path& folder, TransformerFamily family);

/// A folder's adapters as flat: [flat_size of layout] (Lora::parameters()); gaps are zero. Throws
/// Code::kData: what is missing, what does not belong, shapes, types other than F32, F16, BF16.
void read_adapters(const std::filesystem::path& folder, const ParameterLayout& layout,
                   std::span<float> flat);

/// Writes a folder that PeftModel.from_pretrained loads onto base_model (a folder or a name; may be
/// ""). Throws Code::kUsage where the folder is there and not empty, Code::kIo.
void export_adapters(const std::filesystem::path& folder, const LoraConfig& config,
                     TransformerFamily family, const std::string& base_model,
                     const ParameterLayout& layout, std::span<const float> flat,
                     StoredType type = StoredType::kF32);

}  // namespace tenfold::nn
