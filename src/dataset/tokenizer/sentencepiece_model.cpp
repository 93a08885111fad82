#include "dataset/tokenizer/sentencepiece_model.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "base/error.hpp"

namespace tenfold::dataset {

namespace {

// Protobuf's wire format: (number, type), then a varint, 4 or 8 bytes, or a length and its bytes.
class WireReader {
 public:
  WireReader(std::string_view bytes, const std::string& file) : rest_(bytes), file_(file) {}

  /// Goes to the next field; false at the end.
  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t tag = varint();
    number_ = tag >> 3U;
    bytes_ = {};
    value_ = 0;
    switch (tag & 7U) {
      case 0:
        value_ = varint();
        return true;
      case 1:
        take(8);
        return true;
      case 2:
        bytes_ = take(varint());
        return true;
      case 5:
        take(4);
        return true;
      default:
        refuse();
    }
  }

  std::uint64_t number() const { return number_; }
  bool flag() const { return value_ != 0; }
  std::string_view bytes() const { return bytes_; }

 private:
  [[noreturn]] void refuse() const {
    throw base::Error(
        base::Code::kData, fmt::format("{}: not a model of SentencePiece", file_),
        "the tokenizer.model of some models is in another format (a list of tokens in "
        "base64): take the tokenizer.json of the same model");
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
    refuse();
  }

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) refuse();
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
  const std::string& file_;
  std::uint64_t number_ = 0, value_ = 0;
  std::string_view bytes_;
};

}  // namespace

// Numbers of fields: sentencepiece_model.proto.
SentencePieceSettings read_settings(std::string_view model, const std::string& file) {
  SentencePieceSettings settings;
  WireReader fields(model, file);
  while (fields.next()) {
    WireReader inner(fields.bytes(), file);
    if (fields.number() == 2) {  // trainer_spec
      while (inner.next()) {
        if (inner.number() == 24) settings.whitespace_as_suffix = inner.flag();
        if (inner.number() == 44) settings.unknown_surface = inner.bytes();
      }
    } else if (fields.number() == 3) {  // normalizer_spec
      while (inner.next()) {
        if (inner.number() == 3) settings.add_dummy_prefix = inner.flag();
        if (inner.number() == 4) settings.remove_extra_whitespaces = inner.flag();
        if (inner.number() == 5) settings.escape_whitespaces = inner.flag();
      }
    } else if (fields.number() == 5) {  // denormalizer_spec
      while (inner.next()) settings.denormalizes |= inner.number() == 2 && !inner.bytes().empty();
    }
  }
  return settings;
}

}  // namespace tenfold::dataset
