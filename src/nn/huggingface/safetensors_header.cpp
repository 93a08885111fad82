#include "nn/huggingface/safetensors_header.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::nn {

namespace {

constexpr std::size_t kMostDimensions = 32;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw base::Error(
      base::Code::kData, fmt::format("{}: {}", file, what),
      "The file is damaged or was not written as safetensors: copy or export it again");
}

/// Reads the header as it streams by: no document is built, so that what does not belong is refused
/// where it begins. Every method returns whether to go on.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;
  std::string problem;

  bool null() override { return misplaced("null"); }
  bool boolean(bool) override { return misplaced("a boolean"); }
  bool number_integer(number_integer_t) override { return misplaced("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    return misplaced("a number that is no whole number of 64 bits");
  }
  bool binary(binary_t&) override { return misplaced("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::kShape && place_ != Place::kOffsets) return misplaced("a number");
    std::vector<std::uint64_t>& list = place_ == Place::kShape ? shape_ : offsets_;
    if (list.size() == (place_ == Place::kShape ? kMostDimensions : 2)) {
      return misplaced("one number too many");
    }
    list.push_back(value);
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      header.metadata.emplace_back(key_, std::move(value));
      return true;
    }
    if (place_ != Place::kTensor || key_ != "dtype") return misplaced("text");
    const std::optional<StoredType> type = stored_type(value);
    if (!type) {
      return fail(fmt::format("tensor '{}' has the unknown dtype '{}'", shown(), shortened(value)));
    }
    header.tensors.back().type = *type;
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kOutside) {
      place_ = Place::kTop;
      return true;
    }
    if (place_ != Place::kTop) return misplaced("an object");
    if (key_ == "__metadata__") {
      place_ = Place::kMetadata;
      fields_.clear();
      return true;
    }
    place_ = Place::kTensor;
    header.tensors.push_back({});
    header.tensors.back().name = key_;
    fields_.clear();
    shape_.clear();
    offsets_.clear();
    return true;
  }

  bool key(string_t& value) override {
    key_ = value;
    if (place_ == Place::kTop) {
      if (names_.insert(value).second) return true;
      return fail(fmt::format("'{}' is given twice", shortened(value)));
    }
    if (!fields_.insert(value).second) {
      return fail(fmt::format("'{}' is given twice in '{}'", shortened(value), shown()));
    }
    if (place_ == Place::kMetadata || value == "dtype" || value == "shape" ||
        value == "data_offsets") {
      return true;
    }
    return fail(fmt::format("tensor '{}' has the unknown field '{}'", shown(), shortened(value)));
  }

  bool end_object() override {
    if (place_ == Place::kTensor && !finish_tensor()) return false;
    place_ = place_ == Place::kTop ? Place::kOutside : Place::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::kTensor && key_ == "shape") {
      place_ = Place::kShape;
    } else if (place_ == Place::kTensor && key_ == "data_offsets") {
      place_ = Place::kOffsets;
    } else {
      return misplaced("a list");
    }
    return true;
  }

  bool end_array() override {
    place_ = Place::kTensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    return fail(fmt::format("the header is not JSON in UTF-8 (byte {}): {}", position,
                            shortened(error.what())));
  }

 private:
  enum class Place { kOutside, kTop, kMetadata, kTensor, kShape, kOffsets };

  static std::string shortened(std::string_view text) {
    return base::printable(text.substr(0, 200));
  }
  std::string shown() const {
    return place_ == Place::kMetadata || header.tensors.empty()
               ? "__metadata__"
               : shortened(header.tensors.back().name);
  }
  bool fail(std::string what) {
    problem = std::move(what);
    return false;
  }
  bool misplaced(std::string_view what) {
    return fail(
        fmt::format("the header has {} where none belongs (after '{}')", what, shortened(key_)));
  }

  bool finish_tensor() {
    StoredTensor& tensor = header.tensors.back();
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!fields_.contains(field)) {
        return fail(fmt::format("tensor '{}' has no {}", shown(), field));
      }
    }
    if (offsets_.size() != 2 || offsets_[0] > offsets_[1]) {
      return fail(fmt::format("tensor '{}' needs data_offsets [begin, end]", shown()));
    }
    std::uint64_t bytes = element_bytes(tensor.type);
    bool fits = true;
    for (const std::uint64_t extent : shape_) {
      fits = fits && extent <= INT64_MAX && !__builtin_mul_overflow(bytes, extent, &bytes);
      tensor.shape.push_back(static_cast<std::int64_t>(extent));
    }
    if (!fits) return fail(fmt::format("the shape of tensor '{}' is beyond 64 bits", shown()));
    tensor.begin = offsets_[0];
    tensor.end = offsets_[1];
    if (tensor.end - tensor.begin == bytes) return true;
    return fail(fmt::format("tensor '{}' of {} {} needs {} bytes, data_offsets give it {}", shown(),
                            to_string(tensor.type), shape_text(tensor.shape), bytes,
                            tensor.end - tensor.begin));
  }

  Place place_ = Place::kOutside;
  std::string key_;
  std::unordered_set<std::string> names_, fields_;
  std::vector<std::uint64_t> shape_, offsets_;
};

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const std::string& file) {
  if (json.empty() || json.front() != '{') refuse(file, "the header does not begin with '{'");
  HeaderReader reader;
  if (!nlohmann::json::sax_parse(json, &reader)) refuse(file, reader.problem);
  std::vector<StoredTensor>& tensors = reader.header.tensors;
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t at = 0;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.begin != at) {
      refuse(file, fmt::format("tensor '{}' begins at byte {} of the data, {}",
                               base::printable(tensor.name), tensor.begin,
                               tensor.begin < at ? "inside another one"
                                                 : fmt::format("but byte {} is nobody's", at)));
    }
    at = tensor.end;
  }
  if (at != data_bytes) {
    refuse(file, fmt::format("the tensors take {} bytes, the file holds {}", at, data_bytes));
  }
  return std::move(reader.header);
}

std::string safetensors_header_json(const SafetensorsHeader& header) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, value] : header.metadata) json["__metadata__"][key] = value;
  std::string text = json.dump();
  text.pop_back();
  // Entry by entry: an ordered document looks through all of its keys for each new one.
  for (const StoredTensor& tensor : header.tensors) {
    const nlohmann::ordered_json entry = {{"dtype", to_string(tensor.type)},
                                          {"shape", tensor.shape},
                                          {"data_offsets", {tensor.begin, tensor.end}}};
    if (text.size() > 1) text += ',';
    text += fmt::format("{}:{}", nlohmann::json(tensor.name).dump(), entry.dump());
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace tenfold::nn
