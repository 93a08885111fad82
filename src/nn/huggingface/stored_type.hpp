// The number types of safetensors files, and float32 from and to those that weights are stored in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tenfold::nn {

/// In the order in which the format's own library sorts tensors (last first).
enum class StoredType : std::uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

/// "BF16".
std::string_view to_string(StoredType type);
std::optional<StoredType> stored_type(std::string_view name);
/// Bytes of one element.
std::size_t element_bytes(StoredType type);

/// Whether widen and narrow know it: F32, F16, BF16.
bool is_weight_type(StoredType type);
/// Exact. bytes: values.size() elements of type, little-endian, of any alignment.
void widen(StoredType type, std::span<const std::byte> bytes, std::span<float> values);
/// Rounds to the nearest, ties to even; NaN stays NaN, what is too large becomes infinite.
void narrow(StoredType type, std::span<const float> values, std::span<std::byte> bytes);

}  // namespace tenfold::nn
