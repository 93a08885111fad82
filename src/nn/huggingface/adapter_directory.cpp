#include "nn/huggingface/adapter_directory.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "nn/huggingface/folder_export.hpp"
#include "nn/huggingface/json_document.hpp"

namespace tenfold::nn {

namespace fs = std::filesystem;

namespace {

constexpr const char* kConfig = "adapter_config.json";
constexpr const char* kWeights = "adapter_model.safetensors";
constexpr const char* kOnly = "Tenfold reads plain LoRA: one rank and one alpha, matrices alone";

[[noreturn]] void refuse(const fs::path& folder, const std::string& what, const std::string& hint) {
  throw base::Error(base::Code::kData, fmt::format("{}: {}", folder.string(), what), hint);
}

// Keys that say nothing about what the adapters compute, or that are looked at one by one.
constexpr std::array<std::string_view, 19> kKnownKeys{"auto_mapping",
                                                      "base_model_name_or_path",
                                                      "bias",
                                                      "ensure_weight_tying",
                                                      "fan_in_fan_out",
                                                      "inference_mode",
                                                      "init_lora_weights",
                                                      "lora_alpha",
                                                      "lora_dropout",
                                                      "megatron_core",
                                                      "peft_type",
                                                      "peft_version",
                                                      "qalora_group_size",
                                                      "r",
                                                      "revision",
                                                      "runtime_config",
                                                      "target_modules",
                                                      "task_type",
                                                      "trust_remote_code"};

// PEFT writes every kind of adapter that it knows into every file: null, false or empty where it
// is not meant.
bool is_off(const nlohmann::json& value) {
  return value.is_null() || value == false ||
         ((value.is_object() || value.is_array()) && value.empty());
}

void check_kind(const JsonDocument& config, TransformerFamily family) {
  if (config.text("peft_type", "LORA") != "LORA") {
    config.refuse("peft_type", "is not LORA", kOnly);
  }
  if (config.text("bias", "none") != "none") config.refuse("bias", "is not 'none'", kOnly);
  const nlohmann::json start = config.json().value("init_lora_weights", nlohmann::json(true));
  if (!start.is_boolean() && start != "gaussian") {
    config.refuse("init_lora_weights", "changes the base model, which is not supported", kOnly);
  }
  if (family == TransformerFamily::kLlama && config.boolean("fan_in_fan_out", false)) {
    config.refuse("fan_in_fan_out", "= true is for GPT-2's matrices", kOnly);
  }
  for (const auto& [key, value] : config.json().items()) {
    const bool known = std::find(kKnownKeys.begin(), kKnownKeys.end(), key) != kKnownKeys.end();
    if (!known && !is_off(value)) config.refuse(key, "is not supported", kOnly);
  }
}

}  // namespace

LoraConfig read_adapter_config(const fs::path& folder, TransformerFamily family) {
  const JsonDocument document = JsonDocument::read(folder / kConfig);
  check_kind(document, family);
  LoraConfig config;
  config.rank = document.integer("r", 8);
  config.alpha = document.number("lora_alpha", 8);
  const nlohmann::json targets = document.json().value("target_modules", nlohmann::json());
  if (targets == "all-linear") {
    for (const auto& group : adaptable_modules(family)) {
      config.targets.insert(config.targets.end(), group.begin(), group.end());
    }
  } else {
    config.targets = document.texts("target_modules");
  }
  try {
    config.validate(family);
  } catch (const base::Error& error) {
    throw base::Error(base::Code::kData, fmt::format("{}: {}", document.file(), error.message()),
                      error.hint());
  }
  return config;
}

void read_adapters(const fs::path& folder, const ParameterLayout& layout, std::span<float> flat) {
  base::require(static_cast<std::int64_t>(flat.size()) == layout.flat_size(),
                "read_adapters: flat must be [flat_size]");
  std::error_code error;
  if (!fs::exists(folder / kWeights, error) && fs::exists(folder / "adapter_model.bin", error)) {
    refuse(folder, fmt::format("no {}, only adapter_model.bin", kWeights),
           "That is a Python pickle, which is not read: load it with PEFT and save_pretrained it");
  }
  const SafetensorsFile file(folder / kWeights);
  std::vector<std::string> missing, extra;
  for (const StoredTensor& tensor : file.header().tensors) extra.push_back(tensor.name);
  std::fill(flat.begin(), flat.end(), 0.0F);
  for (const ParameterEntry& entry : layout.entries()) {
    const StoredTensor* tensor = file.find(entry.name);
    if (tensor == nullptr) {
      missing.push_back(entry.name);
      continue;
    }
    std::erase(extra, entry.name);
    if (tensor->shape != entry.shape || !is_weight_type(tensor->type)) {
      refuse(
          folder,
          fmt::format("tensor '{}' is {} {}, expected F32, F16 or BF16 {}", entry.name,
                      to_string(tensor->type), shape_text(tensor->shape), shape_text(entry.shape)),
          "adapter_config.json says so by r, the base model's config.json by its shape");
    }
    widen(
        tensor->type, file.bytes(*tensor),
        flat.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size)));
  }
  if (missing.empty() && extra.empty()) return;
  refuse(folder,
         missing.empty() ? fmt::format("tensors that do not belong: {}",
                                       base::printable(base::join(extra, ", ")))
                         : fmt::format("adapters are missing: {}", base::join(missing, ", ")),
         "adapter_config.json or the base model is of other adapters");
}

void export_adapters(const fs::path& folder, const LoraConfig& config, TransformerFamily family,
                     const std::string& base_model, const ParameterLayout& layout,
                     std::span<const float> flat, StoredType type) {
  nlohmann::ordered_json json = {{"peft_type", "LORA"},
                                 {"task_type", "CAUSAL_LM"},
                                 {"base_model_name_or_path", base_model},
                                 {"r", config.rank},
                                 {"lora_alpha", config.alpha},
                                 {"lora_dropout", 0.0},
                                 {"target_modules", config.targets},
                                 {"bias", "none"},
                                 {"fan_in_fan_out", family == TransformerFamily::kGpt2},
                                 {"inference_mode", true}};
  if (base_model.empty()) json["base_model_name_or_path"] = nullptr;
  const std::vector<TensorToStore> tensors = entries_to_store(layout, flat, type);
  write_folder(folder, [&](const fs::path& partial) {
    base::write_atomic(partial / kConfig, json.dump(2) + "\n");
    write_safetensors(partial / kWeights, tensors, {{"format", "pt"}});
  });
}

}  // namespace tenfold::nn
