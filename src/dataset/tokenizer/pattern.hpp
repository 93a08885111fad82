// Regular expressions of tokenizer.json, matched by PCRE2.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dataset/tokenizer/json_node.hpp"

namespace tenfold::dataset {

/// A text to look for, or a regular expression. The files' expressions are meant for Oniguruma
/// (Ruby's syntax): what PCRE2 would read in another way is refused.
class Pattern {
 public:
  struct Match {
    std::size_t begin, end;
  };

  /// From {"String": ...} or {"Regex": ...}. Throws Code::kData naming what is not supported.
  explicit Pattern(const JsonNode& node);
  /// An expression in PCRE2's syntax; where: what errors begin with. Throws Code::kData.
  static Pattern of_expression(const std::string& expression,
                               const std::string& where = "built-in pattern");
  /// A text to look for; not empty.
  static Pattern of_text(std::string text);

  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  /// The first match that begins at `from` or later. The text is valid UTF-8 and `from` the begin
  /// of a character. An empty match never lies at `after` (the end of the match before this one).
  /// Throws Code::kData when the expression needs too many steps.
  std::optional<Match> find(std::string_view text, std::size_t from,
                            std::size_t after = std::string_view::npos) const;

 private:
  struct Compiled;
  Pattern() = default;
  void compile(const std::string& expression, const std::string& where);
  std::optional<Match> search(std::string_view text, std::size_t from) const;

  std::string literal_;
  std::unique_ptr<Compiled> compiled_;
};

/// The expression in PCRE2's syntax. Throws Code::kData (node names the place) for constructs that
/// the two read differently: \w, \b, \h, \v, anchors, nested classes and others.
std::string translate_expression(const std::string& expression, const JsonNode& node);

}  // namespace tenfold::dataset
