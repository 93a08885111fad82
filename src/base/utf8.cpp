#include "base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace tenfold::base {

namespace {

// Length of a character by its first byte, and the range of the second (Unicode, table 3-7).
struct Lead {
  int length;
  unsigned char low, high;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2 || byte > 0xF4) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  return {4, 0x80, static_cast<unsigned char>(byte == 0xF4 ? 0x8F : 0xBF)};
}

// Bytes at the front that are ASCII, eight at a time.
std::size_t ascii_run(std::string_view text) {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace

Utf8Character first_character(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  const Lead lead = lead_of(byte);
  if (lead.length == 1) return {byte, 1, true, false};
  if (lead.length == 0) return {0, 1, false, false};
  char32_t code = byte & (0x7FU >> lead.length);
  for (int i = 1; i < lead.length; ++i) {
    if (static_cast<std::size_t>(i) == text.size()) return {0, i, false, true};
    const auto next = static_cast<unsigned char>(text[i]);
    const unsigned char low = i == 1 ? lead.low : 0x80;
    const unsigned char high = i == 1 ? lead.high : 0xBF;
    if (next < low || next > high) return {0, i, false, false};
    code = (code << 6U) | (next & 0x3FU);
  }
  return {code, lead.length, true, false};
}

bool is_valid_utf8(std::string_view text) {
  while (true) {
    text.remove_prefix(ascii_run(text));
    if (text.empty()) return true;
    const Utf8Character character = first_character(text);
    if (!character.valid) return false;
    text.remove_prefix(character.bytes);
  }
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const std::size_t ascii = ascii_run(text);
    out += text.substr(0, ascii);
    text.remove_prefix(ascii);
    if (text.empty()) return out;
    const Utf8Character character = first_character(text);
    if (character.valid) {
      out += text.substr(0, character.bytes);
    } else {
      append_utf8(0xFFFD, out);
    }
    text.remove_prefix(character.bytes);
  }
}

void append_utf8(char32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6U));
    out += static_cast<char>(0x80 | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12U));
    out += static_cast<char>(0x80 | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80 | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18U));
    out += static_cast<char>(0x80 | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80 | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80 | (code & 0x3FU));
  }
}

}  // namespace tenfold::base
