#include "search/bytes.hpp"

#include "base/hash.hpp"

namespace tenfold::search {

void ByteWriter::raw(const void* data, std::size_t size) {
  const std::size_t end = bytes_.size();
  bytes_.resize(end + size);
  if (size != 0) std::memcpy(bytes_.data() + end, data, size);
}

void seal(std::vector<std::byte>& bytes) {
  const std::uint64_t digest = base::xxh64(bytes);
  const std::size_t end = bytes.size();
  bytes.resize(end + sizeof(digest));
  std::memcpy(bytes.data() + end, &digest, sizeof(digest));
}

std::span<const std::byte> unsealed(std::span<const std::byte> bytes) {
  std::uint64_t digest = 0;
  check_state(bytes.size() >= sizeof(digest), "it ends too early");
  const auto content = bytes.first(bytes.size() - sizeof(digest));
  std::memcpy(&digest, bytes.data() + content.size(), sizeof(digest));
  check_state(digest == base::xxh64(content), "its digest is another");
  return content;
}

}  // namespace tenfold::search
