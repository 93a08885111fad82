#include "dataset/tokenizer/byte_alphabet.hpp"

#include <array>

#include "base/utf8.hpp"

namespace tenfold::dataset {

namespace {

constexpr int kCodes = 0x144;  // the largest character is U+0143

struct Alphabet {
  std::array<std::string, 256> characters;
  std::array<int, kCodes> bytes{};

  Alphabet() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
                             (byte >= 0xAE && byte <= 0xFF);
      const char32_t code = printable ? static_cast<char32_t>(byte) : next++;
      base::append_utf8(code, characters[byte]);
      bytes[code] = byte;
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet made;
  return made;
}

}  // namespace

const std::string& byte_character(std::uint8_t byte) {
  return alphabet().characters[byte];
}

std::string spell_bytes(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) out += byte_character(static_cast<std::uint8_t>(c));
  return out;
}

std::optional<std::string> spelled_bytes(std::string_view token) {
  std::string out;
  while (!token.empty()) {
    const base::Utf8Character character = base::first_character(token);
    if (!character.valid || character.code >= kCodes || alphabet().bytes[character.code] < 0) {
      return std::nullopt;
    }
    out += static_cast<char>(alphabet().bytes[character.code]);
    token.remove_prefix(character.bytes);
  }
  return out;
}

}  // namespace tenfold::dataset
