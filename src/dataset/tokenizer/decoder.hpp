// What the member "decoder" of a tokenizer.json says tokens stand for.
#pragma once

#include "dataset/tokenizer/json_node.hpp"
#include "dataset/tokenizer/token_table.hpp"

namespace tenfold::dataset {

/// Sets the bytes of all tokens and the rules of the table. ByteLevel, Metaspace, Fuse, and
/// Sequences of Replace, ByteFallback, Fuse and one Strip at the text's begin. Throws Code::kData
/// naming what is not supported.
void read_decoder(const JsonNode& root, TokenTable& table);

}  // namespace tenfold::dataset
