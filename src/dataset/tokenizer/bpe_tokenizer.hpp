// tokenizer.json with a BPE model: added tokens, normalizer, pre-tokenizer, merges, decoder.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "dataset/tokenizer/added_tokens.hpp"
#include "dataset/tokenizer/bpe.hpp"
#include "dataset/tokenizer/json_node.hpp"
#include "dataset/tokenizer/normalizer.hpp"
#include "dataset/tokenizer/pre_tokenizer.hpp"
#include "dataset/tokenizer/tokenizer.hpp"

namespace tenfold::dataset {

class BpeTokenizer final : public Tokenizer {
 public:
  /// From a parsed tokenizer.json. Throws Code::kData naming what is wrong or not supported.
  explicit BpeTokenizer(const JsonNode& root);

  void append_ids(std::string_view text, EncodeOptions options,
                  std::vector<std::int32_t>& ids) const override;

 private:
  void append_raw(const Piece& piece, Specials specials, std::vector<std::int32_t>& ids) const;
  void append_bytes(const Piece& piece, Specials specials, std::vector<std::int32_t>& ids) const;
  void append_valid(const Piece& piece, Specials specials, std::vector<std::int32_t>& ids) const;

  AddedTokens added_;
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  std::optional<BpeModel> model_;
};

}  // namespace tenfold::dataset
