// UTF-8, one character at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tenfold::base {

struct Utf8Character {
  char32_t code = 0;
  int bytes = 0;  ///< length, or how many bytes stand for one U+FFFD when not valid
  bool valid = false;
  bool cut = false;  ///< not valid only because the text ends here
};

/// The character that begins at text[0]; text is not empty.
Utf8Character first_character(std::string_view text);

bool is_valid_utf8(std::string_view text);

/// The text with U+FFFD for what is not UTF-8, as Python's bytes.decode(errors="replace") does.
std::string valid_utf8(std::string_view text);

void append_utf8(char32_t code, std::string& out);

}  // namespace tenfold::base
