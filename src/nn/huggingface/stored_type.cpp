#include "nn/huggingface/stored_type.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are read in place");

struct TypeFacts {
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<TypeFacts, 17> kTypes{{{"BOOL", 1},
                                            {"U8", 1},
                                            {"I8", 1},
                                            {"F8_E5M2", 1},
                                            {"F8_E4M3", 1},
                                            {"F8_E8M0", 1},
                                            {"I16", 2},
                                            {"U16", 2},
                                            {"F16", 2},
                                            {"BF16", 2},
                                            {"I32", 4},
                                            {"U32", 4},
                                            {"F32", 4},
                                            {"C64", 8},
                                            {"F64", 8},
                                            {"I64", 8},
                                            {"U64", 8}}};

const TypeFacts& facts(StoredType type) {
  return kTypes.at(static_cast<std::size_t>(type));
}

float from_half(std::uint16_t half) {
  const auto sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {
    // Zero and what is below the smallest normal half: mantissa * 2^-24, exact.
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide = exponent == 0x1FU ? 0xFFU : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23U | mantissa << 13U);
}

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);
  if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7C00U);
  if (magnitude < 0x38800000U) {
    // Below 2^-14 the steps are 2^-24: rounded by the addition of 0.5, whose own step that is.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) & 0xFFFFU));
  }
  const std::uint32_t odd = (magnitude >> 13U) & 1U;
  return static_cast<std::uint16_t>(sign | ((magnitude - (112U << 23U) + 0xFFFU + odd) >> 13U));
}

float from_brain(std::uint16_t brain) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(brain) << 16U);
}

std::uint16_t to_brain(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16U | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

void check_weight_type(StoredType type, std::size_t bytes, std::size_t count) {
  base::require(is_weight_type(type), "no conversion of this stored type");
  base::require(bytes == count * element_bytes(type), "stored bytes do not match the elements");
}

}  // namespace

std::string_view to_string(StoredType type) {
  return facts(type).name;
}

std::size_t element_bytes(StoredType type) {
  return facts(type).bytes;
}

std::optional<StoredType> stored_type(std::string_view name) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i].name == name) return static_cast<StoredType>(i);
  }
  return std::nullopt;
}

bool is_weight_type(StoredType type) {
  return type == StoredType::kF32 || type == StoredType::kF16 || type == StoredType::kBF16;
}

void widen(StoredType type, std::span<const std::byte> bytes, std::span<float> values) {
  check_weight_type(type, bytes.size(), values.size());
  if (values.empty()) return;
  if (type == StoredType::kF32) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return;
  }
  const auto all = [&](const auto& convert) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::uint16_t stored = 0;
      std::memcpy(&stored, &bytes[2 * i], sizeof stored);
      values[i] = convert(stored);
    }
  };
  type == StoredType::kF16 ? all(from_half) : all(from_brain);
}

void narrow(StoredType type, std::span<const float> values, std::span<std::byte> bytes) {
  check_weight_type(type, bytes.size(), values.size());
  if (values.empty()) return;
  if (type == StoredType::kF32) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return;
  }
  const auto all = [&](const auto& convert) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t stored = convert(values[i]);
      std::memcpy(&bytes[2 * i], &stored, sizeof stored);
    }
  };
  type == StoredType::kF16 ? all(to_half) : all(to_brain);
}

}  // namespace tenfold::nn
