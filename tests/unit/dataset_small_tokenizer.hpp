// A small tokenizer.json of the byte-level kind, to be changed and read.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "dataset/tokenizer/byte_alphabet.hpp"
#include "dataset/tokenizer/load.hpp"

namespace tenfold::dataset::test {

/// The 256 bytes, then the merges "l o", "lo w", "e r", "Ġ low", "Ġlow er" as tokens 256 to 260,
/// <s> 261.
inline nlohmann::json small_tokenizer() {
  nlohmann::json vocabulary = nlohmann::json::object();
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary[byte_character(static_cast<std::uint8_t>(byte))] = byte;
  }
  int next = 256;
  for (const char* token : {"lo", "low", "er", "Ġlow", "Ġlower"}) vocabulary[token] = next++;
  const nlohmann::json byte_level{{"type", "ByteLevel"}, {"add_prefix_space", false}};
  return {{"version", "1.0"},
          {"added_tokens", {{{"id", 261}, {"content", "<s>"}, {"special", true}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"vocab", vocabulary},
            {"merges", {"l o", "lo w", "e r", "Ġ low", "Ġlow er"}}}}};
}

inline std::unique_ptr<Tokenizer> read(const nlohmann::json& file) {
  return read_tokenizer_json(file.dump(), "tokenizer.json");
}

}  // namespace tenfold::dataset::test
