#include "nn/huggingface/model_directory.hpp"

#include <algorithm>
#include <set>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "nn/huggingface/folder_export.hpp"

namespace tenfold::nn {

namespace fs = std::filesystem;

namespace {

constexpr const char* kHead = "lm_head.weight";

std::string_view base_prefix(TransformerFamily family) {
  return family == TransformerFamily::kLlama ? "model." : "transformer.";
}

// What older versions stored of values that follow from the configuration.
bool is_derived_buffer(std::string_view name, TransformerFamily family) {
  return family == TransformerFamily::kGpt2
             ? name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")
             : name.ends_with(".rotary_emb.inv_freq");
}

[[noreturn]] void refuse(const fs::path& folder, const std::string& what, const std::string& hint) {
  throw base::Error(base::Code::kData, fmt::format("{}: {}", folder.string(), what), hint);
}

std::string listed(const std::vector<std::string>& names) {
  return base::printable(base::join(names, ", "));
}

// Elements [first, last) of a tensor.
void widen_part(const SafetensorsFolder::Place& place, std::int64_t first, std::int64_t last,
                std::span<float> values) {
  const std::size_t width = element_bytes(place.tensor->type);
  widen(place.tensor->type,
        place.file->bytes(*place.tensor)
            .subspan(static_cast<std::size_t>(first) * width,
                     static_cast<std::size_t>(last - first) * width),
        values);
}

}  // namespace

ModelConfig read_model_config(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_regular_file(folder / "config.json", error)) {
    std::vector<std::string> found;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::end(entry);
         entry.increment(error)) {
      found.push_back(entry->path().filename().string());
    }
    std::sort(found.begin(), found.end());
    refuse(folder,
           found.empty() ? "no such folder, or an empty one"
                         : fmt::format("no config.json; found: {}", listed(found)),
           "Name the folder of a model in Hugging Face's format");
  }
  ModelConfig config = parse_model_config(JsonDocument::read(folder / "config.json"));
  const fs::path generation = folder / "generation_config.json";
  if (fs::exists(generation, error)) {
    const auto eos = JsonDocument::read(generation).integers("eos_token_id");
    if (!eos.empty()) config.eos = eos;
  }
  return config;
}

StoredParameters::StoredParameters(const fs::path& folder, const ModelConfig& config,
                                   const ParameterLayout& layout, bool strict)
    : tensors_(folder), config_(config), layout_(&layout) {
  place_all();
  check_shapes();
  find_unused(strict);
  check_tied_head();
}

void StoredParameters::place_all() {
  const std::string_view prefix = base_prefix(config_.transformer.family);
  std::vector<std::string> missing;
  for (const ParameterEntry& entry : layout_->entries()) {
    SafetensorsFolder::Place place = tensors_.find(entry.name);
    if (entry.name.starts_with(prefix)) {
      const auto bare = tensors_.find(std::string_view(entry.name).substr(prefix.size()));
      if (place.tensor != nullptr && bare.tensor != nullptr) {
        refuse(tensors_.folder(),
               fmt::format("'{}' is stored with and without '{}'", entry.name, prefix),
               "Export the model again");
      }
      if (place.tensor == nullptr) place = bare;
    }
    if (place.tensor == nullptr) missing.push_back(entry.name);
    places_.push_back(place);
  }
  if (missing.empty()) return;
  refuse(tensors_.folder(),
         fmt::format("{} of {} parameters are missing: {}", missing.size(), places_.size(),
                     listed(missing)),
         missing.size() == 1 && missing[0] == kHead
             ? "A base model has no head: export the model with it, or set tie_word_embeddings if "
               "the embeddings are the head"
             : "config.json describes another model than the weights are of");
}

void StoredParameters::check_shapes() const {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const ParameterEntry& entry = layout_->entries()[i];
    const StoredTensor& tensor = *places_[i].tensor;
    if (tensor.shape != entry.shape) {
      refuse(tensors_.folder(),
             fmt::format("tensor '{}' is {}, expected {}", entry.name, shape_text(tensor.shape),
                         shape_text(entry.shape)),
             fmt::format("config.json says so by {}",
                         shape_keys(entry.name, config_.transformer.family)));
    }
    if (!is_weight_type(tensor.type)) {
      refuse(tensors_.folder(),
             fmt::format("tensor '{}' is {}, expected F32, F16 or BF16", entry.name,
                         to_string(tensor.type)),
             "Quantized or converted weights are not read: export the model in one of these");
    }
  }
}

void StoredParameters::find_unused(bool strict) {
  std::set<const StoredTensor*> used;
  for (const auto& place : places_) used.insert(place.tensor);
  for (const std::string& name : tensors_.names()) {
    const bool tied_head = name == kHead && config_.transformer.tied_embeddings;
    if (!used.contains(tensors_.find(name).tensor) && !tied_head &&
        !is_derived_buffer(name, config_.transformer.family)) {
      unused_.push_back(name);
    }
  }
  if (strict && !unused_.empty()) {
    refuse(tensors_.folder(),
           fmt::format("tensors that the model has no place for: {}", listed(unused_)),
           "config.json describes another model; without strict they are left out");
  }
}

void StoredParameters::check_tied_head() const {
  const SafetensorsFolder::Place head = tensors_.find(kHead);
  if (!config_.transformer.tied_embeddings || head.tensor == nullptr) return;
  const SafetensorsFolder::Place& embedding = places_[0];
  const auto head_bytes = head.file->bytes(*head.tensor);
  const auto embedding_bytes = embedding.file->bytes(*embedding.tensor);
  if (head.tensor->type != embedding.tensor->type ||
      head.tensor->shape != embedding.tensor->shape ||
      !std::equal(head_bytes.begin(), head_bytes.end(), embedding_bytes.begin())) {
    refuse(tensors_.folder(), "lm_head.weight differs from the embeddings, which are tied to it",
           "Set tie_word_embeddings to false in config.json if both are wanted");
  }
}

void StoredParameters::read(std::int64_t first, std::span<float> values) const {
  const std::int64_t last = first + static_cast<std::int64_t>(values.size());
  base::require(first >= 0 && last <= layout_->flat_size(),
                "StoredParameters: elements outside of the flat buffer");
  std::fill(values.begin(), values.end(), 0.0F);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const ParameterEntry& entry = layout_->entries()[i];
    const std::int64_t from = std::max(first, entry.offset);
    const std::int64_t to = std::min(last, entry.offset + entry.size);
    if (from >= to) continue;
    widen_part(places_[i], from - entry.offset, to - entry.offset,
               values.subspan(static_cast<std::size_t>(from - first),
                              static_cast<std::size_t>(to - from)));
  }
}

void export_model(const fs::path& folder, const ModelConfig& config, const ParameterLayout& layout,
                  std::span<const float> flat, const ExportOptions& options) {
  std::vector<TensorToStore> tensors = entries_to_store(layout, flat, options.type);
  write_folder(folder, [&](const fs::path& partial) {
    for (const fs::path& file : options.more_files) {
      fs::copy_file(file, partial / file.filename());
      base::sync_path(partial / file.filename());
    }
    base::write_atomic(partial / "config.json", model_config_text(config, options.type));
    base::write_atomic(partial / "generation_config.json", generation_config_text(config));
    write_safetensors_folder(partial, std::move(tensors), options.max_shard_bytes);
  });
}

}  // namespace tenfold::nn
