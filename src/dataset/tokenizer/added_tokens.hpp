// Tokens that are looked for in the text before anything else is done with it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataset/tokenizer/json_node.hpp"
#include "dataset/tokenizer/token_table.hpp"

namespace tenfold::dataset {

enum class Specials;

/// Reads the member "vocab" of a model into the table. Throws Code::kData.
void read_vocabulary(const JsonNode& vocabulary, TokenTable& table);

class AddedTokens {
 public:
  /// A piece of text, or the token that stands there.
  struct Part {
    std::string_view text;
    std::optional<std::int32_t> id;
  };
  /// Tokens with "normalized": false are looked for in the raw text, the others in what the
  /// normalizer makes of the pieces between.
  enum class Stage { kRaw, kNormalized };

  AddedTokens() = default;
  /// From the member "added_tokens" of tokenizer.json. Those that the table lacks are added to it.
  /// Throws Code::kData.
  AddedTokens(const JsonNode& root, TokenTable& table);
  /// Special tokens, by id and spelling.
  explicit AddedTokens(const std::vector<std::pair<std::int32_t, std::string>>& specials);

  /// What the normalizer makes of the tokens of Stage::kNormalized: looked for, and decoded, so.
  void normalize(const std::function<std::string(const std::string&)>& normalizer,
                 TokenTable& table);

  /// Cuts the text at tokens: of those that begin first, the longest. No text part is empty.
  std::vector<Part> split(std::string_view text, Specials specials, Stage stage) const;

  bool any_normalized() const { return !matchers_[1].tokens.empty(); }

 private:
  struct Token {
    std::int32_t id = 0;
    std::string content;
    bool left_strip = false, right_strip = false, special = false;
  };
  struct Node {
    std::map<unsigned char, int> next;
    int token = -1;
  };
  struct Matcher {
    std::vector<Token> tokens;
    std::vector<Node> nodes;
    std::array<bool, 256> begins{};
    void build();
    const Token* longest(std::string_view text) const;
  };
  static Token read(const JsonNode& node, TokenTable& table);

  std::array<Matcher, 2> matchers_;
};

}  // namespace tenfold::dataset
