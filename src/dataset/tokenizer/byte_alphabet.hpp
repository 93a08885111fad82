// The printable characters that byte-level vocabularies spell bytes with (GPT-2's table).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenfold::dataset {

/// The character of a byte, in UTF-8: itself for printable Latin-1, else U+0100 and on in order.
const std::string& byte_character(std::uint8_t byte);

/// Each byte spelled by its character.
std::string spell_bytes(std::string_view bytes);

/// The bytes that a token spells; nothing if one of its characters is none of the alphabet's.
std::optional<std::string> spelled_bytes(std::string_view token);

}  // namespace tenfold::dataset
