#include "nn/huggingface/safetensors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "base/error.hpp"
#include "base/file.hpp"

namespace tenfold::nn {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kLengthBytes = 8;

[[noreturn]] void fail(const fs::path& path, int error) {
  throw base::Error(base::Code::kIo,
                    fmt::format("cannot read {}: {}", path.string(), std::strerror(error)));
}

struct Mapping {
  std::shared_ptr<const std::byte> bytes;
  std::uint64_t size = 0;
};

Mapping map_file(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(path, errno);
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    const int error = S_ISREG(facts.st_mode) ? errno : EISDIR;
    ::close(descriptor);
    fail(path, error);
  }
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (size < kLengthBytes) {
    ::close(descriptor);
    throw base::Error(base::Code::kData,
                      fmt::format("{}: {} bytes are too few for safetensors", path.string(), size),
                      "Copy or export the file again");
  }
  void* const map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int error = errno;
  ::close(descriptor);
  if (map == MAP_FAILED) fail(path, error);
  return {std::shared_ptr<const std::byte>(
              static_cast<const std::byte*>(map),
              [size](const std::byte* begin) { ::munmap(const_cast<std::byte*>(begin), size); }),
          size};
}

}  // namespace

SafetensorsFile::SafetensorsFile(const fs::path& path) : path_(path) {
  const Mapping mapping = map_file(path);
  map_ = mapping.bytes;
  std::uint64_t length = 0;
  std::memcpy(&length, map_.get(), kLengthBytes);
  if (length > kLargestHeader || length > mapping.size - kLengthBytes) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: a header of {} bytes is more than {}", path.string(), length,
                                  length > kLargestHeader ? "100 MB" : "the file holds"),
                      "The file is damaged or is no safetensors file");
  }
  data_begin_ = kLengthBytes + length;
  const auto* const text = reinterpret_cast<const char*>(map_.get() + kLengthBytes);
  header_ = parse_safetensors_header({text, length}, mapping.size - data_begin_, path.string());
  for (std::size_t i = 0; i < header_.tensors.size(); ++i) {
    places_.emplace(header_.tensors[i].name, i);
  }
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto place = places_.find(std::string(name));
  return place == places_.end() ? nullptr : &header_.tensors[place->second];
}

std::span<const std::byte> SafetensorsFile::bytes(const StoredTensor& tensor) const {
  return {map_.get() + data_begin_ + tensor.begin, tensor.end - tensor.begin};
}

std::uint64_t TensorToStore::byte_count() const {
  std::uint64_t bytes = element_bytes(type);
  for (const std::int64_t extent : shape) bytes *= static_cast<std::uint64_t>(extent);
  return bytes;
}

TensorToStore stored_copy(std::string name, StoredType type, std::vector<std::int64_t> shape,
                          std::span<const std::byte> bytes) {
  TensorToStore tensor{std::move(name), type, std::move(shape), {}};
  base::require(tensor.byte_count() == bytes.size(), "stored_copy: bytes do not match the shape");
  tensor.fill = [bytes, width = element_bytes(type)](std::int64_t first, std::span<std::byte> out) {
    const auto piece = bytes.subspan(static_cast<std::size_t>(first) * width, out.size());
    std::copy(piece.begin(), piece.end(), out.begin());
  };
  return tensor;
}

void write_safetensors(const fs::path& path, std::vector<TensorToStore> tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorToStore& a, const TensorToStore& b) {
    return a.type != b.type ? a.type > b.type : a.name < b.name;
  });
  SafetensorsHeader header{{}, metadata};
  std::unordered_set<std::string> names;
  std::uint64_t at = 0;
  for (const TensorToStore& tensor : tensors) {
    base::require(tensor.name != "__metadata__" && names.insert(tensor.name).second,
                  "write_safetensors: tensors need names of their own");
    header.tensors.push_back(
        {tensor.name, tensor.type, tensor.shape, at, at + tensor.byte_count()});
    at = header.tensors.back().end;
  }
  const std::string json = safetensors_header_json(header);
  base::require(json.size() <= kLargestHeader, "write_safetensors: the header is beyond 100 MB");

  base::AtomicFile file(path);
  const std::uint64_t length = json.size();
  file.write({reinterpret_cast<const char*>(&length), kLengthBytes});
  file.write(json);
  constexpr std::size_t kPiece = std::size_t{4} << 20U;
  std::vector<std::byte> piece(std::min<std::uint64_t>(kPiece, at));
  for (const TensorToStore& tensor : tensors) {
    const std::uint64_t bytes = tensor.byte_count();
    for (std::uint64_t done = 0; done < bytes; done += piece.size()) {
      const std::span<std::byte> part =
          std::span(piece).first(std::min<std::uint64_t>(piece.size(), bytes - done));
      tensor.fill(static_cast<std::int64_t>(done / element_bytes(tensor.type)), part);
      file.write({reinterpret_cast<const char*>(part.data()), part.size()});
    }
  }
  file.commit();
}

}  // namespace tenfold::nn
