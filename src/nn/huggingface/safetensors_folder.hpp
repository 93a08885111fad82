// The weights of a folder: one safetensors file, or shards and their index.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nn/huggingface/safetensors.hpp"

namespace tenfold::nn {

/// folder/model.safetensors or, where that is missing, the shards that
/// folder/model.safetensors.index.json names. Shared like SafetensorsFile: any rank may open it.
class SafetensorsFolder {
 public:
  /// Throws Code::kData: no weights (with what was found instead, and for pytorch_model.bin how to
  /// convert it), an index that names files outside of folder, missing ones or tensors that a shard
  /// does not hold, shards or tensors that the index does not name. Code::kIo.
  explicit SafetensorsFolder(const std::filesystem::path& folder);
  SafetensorsFolder(SafetensorsFolder&&) = default;
  SafetensorsFolder& operator=(SafetensorsFolder&&) = default;

  struct Place {
    const SafetensorsFile* file = nullptr;
    const StoredTensor* tensor = nullptr;
  };

  const std::filesystem::path& folder() const { return folder_; }
  /// Names in the order of the files and of their bytes.
  const std::vector<std::string>& names() const { return names_; }
  /// Nulls where there is none of this name.
  Place find(std::string_view name) const;

 private:
  void open_single(const std::filesystem::path& file);
  void open_shards(const std::filesystem::path& index);
  void add(const SafetensorsFile& file);

  std::filesystem::path folder_;
  std::vector<SafetensorsFile> files_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, Place> places_;
};

/// Writes folder/model.safetensors, or, beyond max_shard_bytes, shards of at most that much (one
/// tensor at least) in the order of tensors, and then their index. folder must exist.
void write_safetensors_folder(const std::filesystem::path& folder,
                              std::vector<TensorToStore> tensors, std::uint64_t max_shard_bytes);

}  // namespace tenfold::nn
