#include "nn/huggingface/safetensors_folder.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "nn/huggingface/json_document.hpp"

namespace tenfold::nn {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::size_t kLargestIndex = 100'000'000;

std::vector<std::string> file_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::end(entry);
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) {
    throw base::Error(base::Code::kIo, fmt::format("cannot read the folder {}: {}", folder.string(),
                                                   error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

[[noreturn]] void no_weights(const fs::path& folder) {
  const std::vector<std::string> names = file_names(folder);
  const bool pickled = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.starts_with("pytorch_model") && name.find(".bin") != std::string::npos;
  });
  const std::string found = names.empty() ? "nothing" : base::printable(base::join(names, ", "));
  throw base::Error(
      base::Code::kData,
      fmt::format("{}: neither {} nor {}; found: {}", folder.string(), kSingle, kIndex, found),
      pickled ? fmt::format("pytorch_model.bin is a Python pickle, which is not read. Convert it "
                            "once: python3 -c \"from transformers import AutoModelForCausalLM as "
                            "A; A.from_pretrained('{0}').save_pretrained('{0}')\"",
                            folder.string())
              : "Name the folder of a model in Hugging Face's format");
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 20;
  const std::vector<std::string> some(names.begin(), names.begin() + std::min(names.size(), kMost));
  return base::printable(base::join(some, ", ")) +
         (names.size() > kMost ? fmt::format(" and {} more", names.size() - kMost) : "");
}

bool is_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

// Shards that the index speaks of, with the tensors that each should hold.
std::map<std::string, std::set<std::string>> read_index(const fs::path& path) {
  const JsonDocument index = JsonDocument::read(path, kLargestIndex);
  const JsonDocument weight_map = index.object("weight_map");
  std::map<std::string, std::set<std::string>> shards;
  for (const auto& [tensor, shard] : weight_map.json().items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    if (!is_file_name(name)) {
      weight_map.refuse(tensor,
                        fmt::format("must name a file of the same folder, is {}",
                                    base::printable(shard.dump().substr(0, 200))),
                        "Only files beside the index are read");
    }
    shards[name].insert(tensor);
  }
  if (shards.empty()) index.refuse("weight_map", "names no tensors", "Export the model again");
  return shards;
}

void check_shards(const fs::path& index, const std::map<std::string, std::set<std::string>>& shards,
                  const std::vector<std::string>& present) {
  std::vector<std::string> missing, extra;
  for (const auto& [name, tensors] : shards) {
    if (!std::binary_search(present.begin(), present.end(), name)) missing.push_back(name);
  }
  for (const std::string& name : present) {
    if (name.starts_with("model-") && name.ends_with(".safetensors") && !shards.contains(name)) {
      extra.push_back(name);
    }
  }
  if (missing.empty() && extra.empty()) return;
  throw base::Error(
      base::Code::kData,
      missing.empty()
          ? fmt::format("{}: shards beside it that it does not name: {}", index.string(),
                        listed(extra))
          : fmt::format("{}: these shards are missing: {}", index.string(), listed(missing)),
      missing.empty() ? "Remove them if they belong to another export" : "Copy the whole folder");
}

}  // namespace

SafetensorsFolder::SafetensorsFolder(const fs::path& folder) : folder_(folder) {
  const std::vector<std::string> present = file_names(folder);
  const auto has = [&](const char* name) {
    return std::binary_search(present.begin(), present.end(), std::string(name));
  };
  if (!has(kSingle) && !has(kIndex)) no_weights(folder);
  has(kSingle) ? open_single(folder / kSingle) : open_shards(folder / kIndex);
}

void SafetensorsFolder::open_single(const fs::path& file) {
  files_.emplace_back(file);
  add(files_.back());
}

void SafetensorsFolder::open_shards(const fs::path& index) {
  const auto shards = read_index(index);
  check_shards(index, shards, file_names(folder_));
  files_.reserve(shards.size());  // places point into it
  for (const auto& [name, tensors] : shards) {
    files_.emplace_back(folder_ / name);
    const SafetensorsFile& file = files_.back();
    std::vector<std::string> missing, extra;
    for (const std::string& tensor : tensors) {
      if (file.find(tensor) == nullptr) missing.push_back(tensor);
    }
    for (const StoredTensor& tensor : file.header().tensors) {
      if (!tensors.contains(tensor.name)) extra.push_back(tensor.name);
    }
    if (!missing.empty() || !extra.empty()) {
      throw base::Error(
          base::Code::kData,
          fmt::format("{} {} {}", file.path().string(),
                      missing.empty() ? "holds tensors that the index places elsewhere "
                                        "or does not name:"
                                      : "lacks tensors that the index places there:",
                      listed(missing.empty() ? extra : missing)),
          "Index and shards are not of one export: copy the whole folder");
    }
    add(file);
  }
}

void SafetensorsFolder::add(const SafetensorsFile& file) {
  for (const StoredTensor& tensor : file.header().tensors) {
    names_.push_back(tensor.name);
    places_.emplace(tensor.name, Place{&file, &tensor});
  }
}

SafetensorsFolder::Place SafetensorsFolder::find(std::string_view name) const {
  const auto place = places_.find(std::string(name));
  return place == places_.end() ? Place{} : place->second;
}

void write_safetensors_folder(const fs::path& folder, std::vector<TensorToStore> tensors,
                              std::uint64_t max_shard_bytes) {
  // What PyTorch's libraries look for before they read a file.
  const std::vector<std::pair<std::string, std::string>> metadata{{"format", "pt"}};
  std::vector<std::vector<TensorToStore>> shards(1);
  std::uint64_t total = 0, filled = 0;
  for (TensorToStore& tensor : tensors) {
    const std::uint64_t bytes = tensor.byte_count();
    if (filled > 0 && filled + bytes > max_shard_bytes) {
      shards.emplace_back();
      filled = 0;
    }
    filled += bytes;
    total += bytes;
    shards.back().push_back(std::move(tensor));
  }
  if (shards.size() == 1) {
    write_safetensors(folder / kSingle, std::move(shards[0]), metadata);
    return;
  }
  nlohmann::json index = {{"metadata", {{"total_size", total}}},
                          {"weight_map", nlohmann::json::object()}};
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    for (const TensorToStore& tensor : shards[i]) index["weight_map"][tensor.name] = name;
    write_safetensors(folder / name, std::move(shards[i]), metadata);
  }
  base::write_atomic(folder / kIndex, index.dump(2) + "\n");
}

}  // namespace tenfold::nn
