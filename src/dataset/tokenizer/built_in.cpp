// The tokenizers that are made from a list: written as a tokenizer.json, then read like any other.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/byte_alphabet.hpp"
#include "dataset/tokenizer/load.hpp"
#include "dataset/tokenizer/tokenizer.hpp"
#include "dataset/tokenizer/word_tokenizer.hpp"

namespace tenfold::dataset {

using Json = nlohmann::json;

namespace {

class Builder {
 public:
  explicit Builder(const SpecialTokens& specials) : specials_(specials) {}

  void add(const std::string& text) {
    if (!base::is_valid_utf8(text)) {
      throw base::Error(base::Code::kData,
                        fmt::format("token \"{}\" is not UTF-8", base::printable(text)));
    }
    const bool is_new = vocabulary_.emplace(text, next_).second;
    if (!is_new) {
      throw base::Error(base::Code::kData,
                        fmt::format("token \"{}\" is given twice", base::printable(text)));
    }
    ++next_;
  }

  void add_specials() {
    for (const auto* role : {&specials_.unknown, &specials_.bos, &specials_.eos}) {
      if (*role) add_special(**role);
    }
    for (const std::string& text : specials_.others) add_special(text);
  }

  std::unique_ptr<Tokenizer> build(Json model, Json pipeline) {
    model["vocab"] = std::move(vocabulary_);
    pipeline.update({{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", std::move(added_)},
                     {"post_processor", nullptr},
                     {"model", std::move(model)}});
    const std::string text = pipeline.dump(1) + "\n";
    std::unique_ptr<Tokenizer> made = read_tokenizer_json(text, "tokenizer.json");
    TokenRoles roles;
    const auto find = [&](const std::optional<std::string>& role) {
      return role ? made->token_id(*role) : std::nullopt;
    };
    roles.unknown = find(specials_.unknown);
    roles.bos = find(specials_.bos);
    roles.eos = find(specials_.eos);
    if (roles.eos) roles.ends.push_back(*roles.eos);
    TokenizerLoader::finish(*made, std::move(roles),
                            {{"tokenizer.json", text}, {"tokenizer_config.json", config()}});
    return made;
  }

 private:
  // unk == eos and the like are one token.
  void add_special(const std::string& text) {
    if (text.empty()) throw base::Error(base::Code::kData, "a special token is empty");
    if (vocabulary_.contains(text)) {
      const bool is_special = std::any_of(added_.begin(), added_.end(), [&](const Json& token) {
        return token.at("content") == text;
      });
      if (is_special) return;
    }
    added_.push_back({{"id", next_},
                      {"content", text},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", true}});
    add(text);
  }

  std::string config() const {
    const auto name = [](const std::optional<std::string>& role) {
      return role ? Json(*role) : Json(nullptr);
    };
    return Json{{"tokenizer_class", "PreTrainedTokenizerFast"},
                {"clean_up_tokenization_spaces", false},
                {"unk_token", name(specials_.unknown)},
                {"bos_token", name(specials_.bos)},
                {"eos_token", name(specials_.eos)}}
               .dump(1) +
           "\n";
  }

  SpecialTokens specials_;
  Json vocabulary_ = Json::object();
  Json added_ = Json::array();
  std::int32_t next_ = 0;
};

// WordLevel models must name an unknown token; one that can be in no vocabulary makes unknown words
// an error.
constexpr const char* kNoUnknown = "";

}  // namespace

std::unique_ptr<Tokenizer> make_word_tokenizer(std::span<const std::string> words,
                                               const SpecialTokens& specials) {
  Builder builder(specials);
  builder.add_specials();
  builder.add("\n");
  for (const std::string& word : words) {
    if (word != "\n") builder.add(word);
  }
  return builder.build(
      {{"type", "WordLevel"}, {"unk_token", specials.unknown.value_or(kNoUnknown)}},
      word_pipeline());
}

namespace {

// BPE without merges: every symbol is a token.
Json unmerged(const Json& unknown) {
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", unknown},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", false},
          {"byte_fallback", false},
          {"ignore_merges", false},
          {"merges", Json::array()}};
}

// A decoder has the members of a pre-tokenizer, and no use for them.
Json byte_level(bool decoder) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", decoder},
          {"trim_offsets", true},
          {"use_regex", decoder}};
}

}  // namespace

std::unique_ptr<Tokenizer> make_char_tokenizer(std::span<const std::string> characters,
                                               const SpecialTokens& specials) {
  Builder builder(specials);
  builder.add_specials();
  for (const std::string& character : characters) {
    if (character.empty() ||
        static_cast<std::size_t>(base::first_character(character).bytes) != character.size()) {
      throw base::Error(base::Code::kData, fmt::format("\"{}\" is not one UTF-8 character",
                                                       base::printable(character)));
    }
    builder.add(character);
  }
  const Json unknown = specials.unknown ? Json(*specials.unknown) : Json(nullptr);
  return builder.build(
      unmerged(unknown),
      {{"normalizer", nullptr}, {"pre_tokenizer", nullptr}, {"decoder", {{"type", "Fuse"}}}});
}

std::unique_ptr<Tokenizer> make_byte_tokenizer(const SpecialTokens& specials) {
  if (specials.unknown) {
    throw base::Error(base::Code::kData,
                      "a byte tokenizer knows every byte: it has no unknown token");
  }
  Builder builder(specials);
  for (int byte = 0; byte < 256; ++byte)
    builder.add(byte_character(static_cast<std::uint8_t>(byte)));
  builder.add_specials();
  return builder.build(unmerged(nullptr), {{"normalizer", nullptr},
                                           {"pre_tokenizer", byte_level(false)},
                                           {"decoder", byte_level(true)}});
}

}  // namespace tenfold::dataset
