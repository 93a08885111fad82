// What a tokenizer.json does to the text before it is cut into words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/tokenizer/json_node.hpp"
#include "dataset/tokenizer/pattern.hpp"

namespace tenfold::dataset {

/// Prepend, Replace, NFC, and Sequences of them.
class Normalizer {
 public:
  Normalizer() = default;
  /// From the member "normalizer", which may be null. Throws Code::kData naming what is not
  /// supported.
  explicit Normalizer(const JsonNode& root);

  bool empty() const { return steps_.empty(); }
  /// text is valid UTF-8. bare: nothing is put before it.
  std::string apply(std::string_view text, bool bare) const;

 private:
  struct Step {
    enum class Kind { kPrepend, kReplace, kNfc } kind;
    std::string content;
    std::optional<Pattern> pattern;
  };
  void add(const JsonNode& node);

  std::vector<Step> steps_;
};

/// The text with every match replaced.
std::string replace_all(std::string_view text, const Pattern& pattern, std::string_view content);

}  // namespace tenfold::dataset
