// Reading and writing safetensors files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nn/huggingface/safetensors_header.hpp"

namespace tenfold::nn {

/// A file, mapped into memory and checked as parse_safetensors_header says before any tensor is
/// looked at. Only the pages that are read come from the disk, so each rank may open the file and
/// read its own slices. The file must not be cut short while it is open.
class SafetensorsFile {
 public:
  /// Throws Code::kIo (cannot be opened or mapped), Code::kData (what it holds).
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const SafetensorsHeader& header() const { return header_; }
  /// Null where there is none of this name.
  const StoredTensor* find(std::string_view name) const;
  /// All bytes of a tensor of header(), in place; valid as long as this file. No alignment.
  std::span<const std::byte> bytes(const StoredTensor& tensor) const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const std::byte> map_;  ///< the whole file
  std::uint64_t data_begin_ = 0;
  SafetensorsHeader header_;
  std::unordered_map<std::string, std::size_t> places_;
};

/// A tensor to write; its bytes are asked for piece by piece when their turn comes.
struct TensorToStore {
  std::string name;
  StoredType type = StoredType::kF32;
  std::vector<std::int64_t> shape;
  /// Gives the elements from first on, as many as bytes holds; called in order, a piece at a time.
  std::function<void(std::int64_t first, std::span<std::byte> bytes)> fill;

  std::uint64_t byte_count() const;
};

/// A tensor of bytes that lie in memory until it is written.
TensorToStore stored_copy(std::string name, StoredType type, std::vector<std::int64_t> shape,
                          std::span<const std::byte> bytes);

/// Writes path in the order of the format's own library (wider types first, then names), through a
/// temporary file that is synced and renamed. Throws Code::kIo; Code::kBug where a name is twice.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorToStore> tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata = {});

}  // namespace tenfold::nn
