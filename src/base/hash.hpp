// Digests: xxh64 for data sets and parameters, SHA-256 for whole files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tenfold::base {

std::uint64_t xxh64(std::span<const std::byte> bytes, std::uint64_t seed = 0);

template <class T>
std::uint64_t xxh64_of(std::span<const T> values) {
  return xxh64(std::as_bytes(values));
}

/// Lower-case hex SHA-256 of a text.
std::string sha256_text(std::string_view text);
/// Lower-case hex SHA-256 of a file's bytes. Throws Code::kIo when it cannot be read.
std::string sha256_file(const std::filesystem::path& path);
/// 16 hex digits.
std::string hex64(std::uint64_t value);

}  // namespace tenfold::base
