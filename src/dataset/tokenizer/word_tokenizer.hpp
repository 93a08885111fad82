// Words between single spaces and newlines, from a closed list.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "dataset/tokenizer/added_tokens.hpp"
#include "dataset/tokenizer/json_node.hpp"
#include "dataset/tokenizer/tokenizer.hpp"

namespace tenfold::dataset {

class WordTokenizer final : public Tokenizer {
 public:
  /// From a parsed tokenizer.json with a WordLevel model. Throws Code::kData when it splits or
  /// joins words in another way than word_pipeline().
  explicit WordTokenizer(const JsonNode& root);

  void append_ids(std::string_view text, EncodeOptions options,
                  std::vector<std::int32_t>& ids) const override;

 private:
  void append_piece(std::string_view text, std::vector<std::int32_t>& ids) const;
  void append_line(std::string_view line, std::vector<std::int32_t>& ids) const;
  std::int32_t word_id(std::string_view word, std::string_view line) const;

  AddedTokens added_;
  std::optional<std::int32_t> unknown_;
};

/// The members of tokenizer.json that make Hugging Face's tokenizers do what WordTokenizer does.
nlohmann::json word_pipeline();

}  // namespace tenfold::dataset
