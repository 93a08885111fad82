#include "dataset/tokenizer/word_tokenizer.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace tenfold::dataset {

using Json = nlohmann::json;

namespace {

[[noreturn]] void refuse_space(std::string_view line) {
  throw base::Error(base::Code::kData,
                    fmt::format("the word tokenizer cannot keep the spaces of \"{}\"",
                                base::printable(line.substr(0, 80))),
                    "separate words by one space, and put none beside a newline or at the end");
}

// Decoding writes a space beside a special token, and where a text goes on: one may be there.
std::string_view without_free_spaces(std::string_view text, bool front, bool back) {
  if (front && text.size() > 1 && text[0] == ' ' && text[1] != '\n') text.remove_prefix(1);
  if (back && text.ends_with(' ') && !text.ends_with("\n ")) text.remove_suffix(1);
  return text;
}

}  // namespace

Json word_pipeline() {
  const auto split = [](const char* at, const char* behavior) {
    return Json{{"type", "Split"},
                {"pattern", {{"String", at}}},
                {"behavior", behavior},
                {"invert", false}};
  };
  const auto replace = [](const char* kind, const char* what, const char* by) {
    return Json{{"type", "Replace"}, {"pattern", {{kind, what}}}, {"content", by}};
  };
  return {
      {"normalizer", nullptr},
      {"pre_tokenizer",
       {{"type", "Sequence"}, {"pretokenizers", {split(" ", "Removed"), split("\n", "Isolated")}}}},
      {"decoder",
       {{"type", "Sequence"},
        {"decoders",
         {replace("Regex", "\\A", " "),
          {{"type", "Fuse"}},
          replace("String", " \n", "\n"),
          replace("String", "\n ", "\n"),
          {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}}}};
}

WordTokenizer::WordTokenizer(const JsonNode& root) {
  const Json expected = word_pipeline();
  for (const char* part : {"normalizer", "pre_tokenizer", "decoder"}) {
    const JsonNode found = root.at(part);
    if (found.value() != expected.at(part)) {
      found.refuse(
          "with a WordLevel model, only what our word tokenizers are written with is supported",
          fmt::format("supported: {}", expected.at(part).dump()));
    }
  }
  const JsonNode model = root.at("model");
  model.only({"type", "vocab", "unk_token"});
  read_vocabulary(model.at("vocab"), table_);
  added_ = AddedTokens(root, table_);
  if (added_.any_normalized()) {
    root.at("added_tokens").refuse("\"normalized\" is not supported with a WordLevel model");
  }
  unknown_ = table_.find(model.at("unk_token").text());
  for (std::int32_t id = 0; id < table_.size(); ++id) {
    if (!table_.has(id)) continue;
    const std::string& text = table_.text(id);
    const bool broken = text.empty() || text.find_first_of(" \n") != std::string::npos;
    if (broken && text != "\n" && !table_.is_special(id)) {
      model.at("vocab").refuse(fmt::format(
          "\"{}\" holds a space or newline, or nothing: not a word", base::printable(text)));
    }
    if (text != "\n") table_.set_bytes(id, " " + text);
  }
  table_.set_rules({.start = DecodeRules::Start::kWords});
}

void WordTokenizer::append_ids(std::string_view text, EncodeOptions options,
                               std::vector<std::int32_t>& ids) const {
  std::string valid;
  if (!base::is_valid_utf8(text)) text = valid = base::valid_utf8(text);
  bool free_front = options.continuation;
  for (const AddedTokens::Part& part :
       added_.split(text, options.specials, AddedTokens::Stage::kRaw)) {
    if (part.id) {
      ids.push_back(*part.id);
    } else {
      const bool free_back = part.text.end() != text.end();
      append_piece(without_free_spaces(part.text, free_front, free_back), ids);
    }
    free_front = true;
  }
}

void WordTokenizer::append_piece(std::string_view text, std::vector<std::int32_t>& ids) const {
  while (true) {
    const std::size_t end = text.find('\n');
    append_line(text.substr(0, end), ids);
    if (end == std::string_view::npos) return;
    ids.push_back(word_id("\n", text));
    text.remove_prefix(end + 1);
  }
}

std::int32_t WordTokenizer::word_id(std::string_view word, std::string_view line) const {
  std::optional<std::int32_t> id = table_.find(word);
  // A word that spells a special token would be lost in decoding.
  if (!id || table_.is_special(*id)) id = unknown_;
  if (!id) {
    throw base::Error(
        base::Code::kData,
        fmt::format("\"{}\" is not in the word tokenizer's vocabulary, in \"{}\"",
                    base::printable(word.substr(0, 80)), base::printable(line.substr(0, 80))),
        "make the tokenizer with this word, or with an unknown token");
  }
  return *id;
}

void WordTokenizer::append_line(std::string_view line, std::vector<std::int32_t>& ids) const {
  const std::string_view whole = line;
  while (!line.empty()) {
    const std::size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    const bool last = end == std::string_view::npos;
    line.remove_prefix(last ? line.size() : end + 1);
    if (!unknown_ && (word.empty() || (!last && line.empty()))) refuse_space(whole);
    if (!word.empty()) ids.push_back(word_id(word, whole));
  }
}

}  // namespace tenfold::dataset
