// What the JSON at the beginning of a safetensors file says, checked against the file's size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/huggingface/stored_type.hpp"

namespace tenfold::nn {

/// One tensor of a file; row-major.
struct StoredTensor {
  std::string name;
  StoredType type = StoredType::kF32;
  std::vector<std::int64_t> shape;   ///< {} is one number
  std::uint64_t begin = 0, end = 0;  ///< bytes [begin, end) of the data section
};

/// "[32, 48]".
std::string shape_text(const std::vector<std::int64_t>& shape);

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  ///< by their place in the file
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// The largest header that is read or written.
constexpr std::uint64_t kLargestHeader = 100'000'000;

/// json: the header, data_bytes: how many bytes follow it. Throws Code::kData naming file (any text
/// that says which) and the tensor: not JSON of this form, not UTF-8, a name given twice, an
/// unknown type, a size that is not what type and shape make or that does not fit 64 bits, ranges
/// that do not tile the data exactly. Allocates in proportion to json only.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const std::string& file);

/// The JSON for tensors that already have their ranges, padded with spaces to a multiple of 8.
std::string safetensors_header_json(const SafetensorsHeader& header);

}  // namespace tenfold::nn
