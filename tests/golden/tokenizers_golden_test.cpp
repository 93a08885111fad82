// Ids and texts must be those of Hugging Face's `tokenizers` and of `sentencepiece`
// (make_tokenizers.py).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/tokenizer.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::dataset {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<std::int32_t>;

constexpr std::size_t kDigits = 6;  // of the digest of each text

const std::string& folder() {
  static const std::string path = TENFOLD_SOURCE_DIR "/tests/golden/tokenizers";
  return path;
}

Json read(const std::string& name) {
  std::ifstream file(folder() + "/" + name);
  return Json::parse(file);
}

const std::vector<std::string>& strings() {
  static const auto all = read("strings.json").get<std::vector<std::string>>();
  return all;
}

const Json& expected(const std::string& kind) {
  static const Json all = read("expected.json");
  return all.at(kind);
}

bool falls_back_to_bytes(const std::string& kind) {
  return kind == "llama2" || kind == "mistral" || kind == "gemma" || kind == "pieces";
}

// One text's ids and their text, as make_tokenizers.py's digest() spells them.
std::string spelled(const Tokenizer& tokenizer, const std::string& kind, const std::string& text,
                    Specials specials) {
  std::string out;
  const Ids ids = tokenizer.encode(text, {.specials = specials});
  for (const std::int32_t id : ids) out += (out.empty() ? "" : ",") + std::to_string(id);
  const std::string decoded = base::valid_utf8(tokenizer.decode(ids, specials));
  const bool comparable = !falls_back_to_bytes(kind) || decoded.find("\uFFFD") == std::string::npos;
  return out + ";" + (comparable ? decoded : "") + ";";
}

class TokenizersGolden : public ::testing::TestWithParam<std::string> {
 protected:
  TokenizersGolden() : tokenizer_(load_tokenizer(folder() + "/" + GetParam())) {}
  bool pieces() const { return GetParam() == "pieces" || GetParam() == "unigram"; }

  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(TokenizersGolden, IdsAndTextsOfFuzzedStrings) {
  const std::string digests = expected(GetParam()).at("digests");
  ASSERT_EQ(digests.size(), kDigits * strings().size());
  int wrong = 0;
  for (std::size_t i = 0; i < strings().size(); ++i) {
    const std::string& text = strings()[i];
    std::string ours;
    if (!pieces()) ours = spelled(*tokenizer_, GetParam(), text, Specials::kUse);
    if (GetParam() != "word") {
      ours += spelled(*tokenizer_, GetParam(), text, Specials::kIgnore);
    }
    if (base::sha256_text(ours).substr(0, kDigits) == digests.substr(kDigits * i, kDigits))
      continue;
    ADD_FAILURE() << "text " << i << " " << Json(text).dump() << ": ours is " << ours;
    if (++wrong == 5) break;
  }
}

TEST_P(TokenizersGolden, TextsOfRandomIds) {
  for (const Json& row : expected(GetParam()).at("decodes")) {
    const auto ids = row.at(0).get<Ids>();
    if (!row.at(1).is_null()) {
      EXPECT_EQ(tokenizer_->decode(ids, Specials::kUse), row.at(1)) << row.dump();
    }
    EXPECT_EQ(tokenizer_->decode(ids), row.at(2)) << row.dump();
  }
}

TEST_P(TokenizersGolden, TextComesIdByIdAsAtOnce) {
  for (std::size_t i = 0; i < strings().size(); i += 3) {
    const Ids ids = tokenizer_->encode(strings()[i], {.specials = Specials::kUse});
    for (const Specials specials : {Specials::kUse, Specials::kIgnore}) {
      const std::size_t cut = i % (ids.size() + 1);
      const std::span<const std::int32_t> before(ids.data(), cut);
      Detokenizer whole(*tokenizer_, specials), rest(*tokenizer_, before, specials);
      std::string all, after;
      for (std::size_t k = 0; k < ids.size(); ++k) {
        all += whole.push(ids[k]);
        if (k >= cut) after += rest.push(ids[k]);
      }
      all += whole.flush();
      after += rest.flush();
      ASSERT_EQ(all, tokenizer_->decode(ids, specials));
      ASSERT_EQ(tokenizer_->decode(before, specials) + after, all);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, TokenizersGolden,
                         ::testing::Values("gpt2", "llama3", "qwen", "falcon", "llama2", "mistral",
                                           "gemma", "metaspace", "word", "char", "byte", "pieces",
                                           "unigram"),
                         [](const auto& kind) { return kind.param; });

class BuiltInGolden : public test::TemporaryFolder {
 protected:
  // What we write is what Hugging Face's package wrote of the same tokenizer.
  void compare(const Tokenizer& ours, const std::string& kind) const {
    ours.save(folder_);
    EXPECT_EQ(Json::parse(base::read_text(folder_ / "tokenizer.json")),
              read(kind + "/tokenizer.json"));
  }
};

TEST_F(BuiltInGolden, FilesAreThoseOfHuggingFace) {
  std::vector<std::string> words{"a", "b", "ANSWER:"};
  for (int number = 0; number < 20; ++number) words.push_back(std::to_string(number));
  const SpecialTokens all{.unknown = "<unk>", .bos = "<s>", .eos = "</s>"};
  compare(*make_word_tokenizer(words, all), "word");
  const std::vector<std::string> characters{"a", "b", "c", " ", "🙂", "é", "\n"};
  compare(*make_char_tokenizer(characters, all), "char");
  compare(*make_byte_tokenizer({.bos = "<s>", .eos = "</s>"}), "byte");
}

}  // namespace
}  // namespace tenfold::dataset
