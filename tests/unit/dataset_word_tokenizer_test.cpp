// Words between single spaces and newlines: every text that the tokenizer takes comes back as it
// was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/philox.hpp"
#include "dataset/tokenizer/tokenizer.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::dataset {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::vector<std::int32_t>;

std::vector<std::string> arithmetic_words() {
  std::vector<std::string> words{"QUESTION:", "ANSWER:", "+", "=", "?", "."};
  for (int number = 0; number < 100; ++number) words.push_back(std::to_string(number));
  return words;
}

// <s> 0, </s> 1, newline 2, QUESTION: 3, ..., "0" 9, "99" 108.
std::unique_ptr<Tokenizer> arithmetic() {
  return make_word_tokenizer(arithmetic_words(), {.bos = "<s>", .eos = "</s>"});
}

std::string message_of(const Tokenizer& tokenizer, const std::string& text,
                       EncodeOptions options = {}) {
  try {
    tokenizer.encode(text, options);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kData);
    return error.what();
  }
  ADD_FAILURE() << "no error for \"" << text << '"';
  return {};
}

TEST(WordTokenizer, NumbersIdsBySpecialsNewlineAndWords) {
  const auto tokenizer = arithmetic();
  EXPECT_EQ(tokenizer->vocabulary_size(), 109);
  EXPECT_EQ(tokenizer->bos(), 0);
  EXPECT_EQ(tokenizer->eos(), 1);
  EXPECT_THAT(tokenizer->end_tokens(), ElementsAre(1));
  EXPECT_EQ(tokenizer->unknown(), std::nullopt);
  EXPECT_EQ(tokenizer->token_text(108), "99");
  EXPECT_EQ(tokenizer->token_id("\n"), 2);
  EXPECT_EQ(tokenizer->token_id("100"), std::nullopt);
  EXPECT_THAT(tokenizer->encode("QUESTION: 3 + 99 = ?\n\nANSWER: 2"),
              ElementsAre(3, 12, 5, 108, 6, 7, 2, 2, 4, 11));
}

TEST(WordTokenizer, GivesBackWhatItTakes) {
  const auto tokenizer = arithmetic();
  const std::vector<std::string> words = arithmetic_words();
  base::Stream stream(1, base::Purpose::kTest, 0, 0);
  for (int trial = 0; trial < 200; ++trial) {
    std::string text;
    for (int lines = 1 + static_cast<int>(stream.below(4)); lines > 0; --lines) {
      for (int count = static_cast<int>(stream.below(6)); count > 0; --count) {
        text += words[stream.below(static_cast<std::uint32_t>(words.size()))];
        if (count > 1) text += ' ';
      }
      if (lines > 1) text += '\n';
    }
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

TEST(WordTokenizer, RefusesWhatItCouldNotGiveBack) {
  const auto tokenizer = arithmetic();
  EXPECT_THAT(message_of(*tokenizer, "1 + 100 = ?"), HasSubstr("\"100\" is not in"));
  for (const char* text : {" 1", "1 ", "1  2", "1 \n2", "1\n 2", " ", " \n"}) {
    EXPECT_THAT(message_of(*tokenizer, text), HasSubstr("cannot keep the spaces")) << text;
  }
  for (const char* text : {" ", "  1", " \n1", " 1 "}) {
    EXPECT_THAT(message_of(*tokenizer, text, {.continuation = true}),
                HasSubstr("cannot keep the spaces"))
        << text;
  }
  EXPECT_THAT(message_of(*tokenizer, "<s>"), HasSubstr("\"<s>\" is not in"));
}

TEST(WordTokenizer, ContinuesAText) {
  const auto tokenizer = arithmetic();
  const Ids prompt = tokenizer->encode("1 +"),
            rest = tokenizer->encode(" 2\n3", {.continuation = true});
  EXPECT_THAT(rest, ElementsAre(11, 2, 12));
  EXPECT_EQ(tokenizer->decode_after(prompt, rest), " 2\n3");
  EXPECT_EQ(tokenizer->decode_after(tokenizer->encode("1\n"), tokenizer->encode("2")), "2");
  EXPECT_EQ(tokenizer->decode(rest), "2\n3");
}

TEST(WordTokenizer, SpecialTokensAreTextOnlyWhenAsked) {
  const auto tokenizer = arithmetic();
  EXPECT_THAT(tokenizer->encode("<s> 1\n</s>", {.specials = Specials::kUse}),
              ElementsAre(0, 10, 2, 1));
  EXPECT_EQ(tokenizer->decode(Ids{0, 10, 2, 1}, Specials::kUse), "<s> 1\n</s>");
  EXPECT_EQ(tokenizer->decode(Ids{0, 10, 2, 1}), "1\n");
}

TEST(WordTokenizer, UnknownWordsAreATokenWhenAsked) {
  const auto tokenizer =
      make_word_tokenizer(std::vector<std::string>{"a", "b"}, {.unknown = "<unk>", .eos = "<unk>"});
  EXPECT_EQ(tokenizer->unknown(), 0);
  EXPECT_EQ(tokenizer->eos(), 0);
  EXPECT_THAT(tokenizer->encode("a  zz\n b "), ElementsAre(2, 0, 1, 3));
}

TEST(WordTokenizer, RefusesBadLists) {
  const SpecialTokens none;
  EXPECT_THROW(make_word_tokenizer(std::vector<std::string>{"a", "a"}, none), base::Error);
  EXPECT_THROW(make_word_tokenizer(std::vector<std::string>{"a b"}, none), base::Error);
  EXPECT_THROW(make_word_tokenizer(std::vector<std::string>{""}, none), base::Error);
  EXPECT_THROW(make_word_tokenizer(std::vector<std::string>{"\xff"}, none), base::Error);
  EXPECT_THROW(make_word_tokenizer(std::vector<std::string>{"<s>"}, {.bos = "<s>"}), base::Error);
}

TEST(WordTokenizer, RefusesIdsWithoutToken) {
  const auto tokenizer = arithmetic();
  EXPECT_THROW(tokenizer->decode(Ids{109}), base::Error);
  EXPECT_THROW(tokenizer->decode(Ids{-1}), base::Error);
  EXPECT_THROW(tokenizer->token_text(109), base::Error);
}

using WordTokenizerFiles = test::TemporaryFolder;

TEST_F(WordTokenizerFiles, SavedAndLoadedIsTheSame) {
  const auto tokenizer = arithmetic();
  tokenizer->save(folder_ / "a");
  const auto loaded = load_tokenizer(folder_ / "a");
  EXPECT_EQ(loaded->vocabulary_size(), 109);
  EXPECT_EQ(loaded->bos(), 0);
  EXPECT_EQ(loaded->eos(), 1);
  EXPECT_THAT(loaded->end_tokens(), ElementsAre(1));
  const std::string text = "1 + 2 = ?\n3";
  EXPECT_EQ(loaded->encode(text), tokenizer->encode(text));
  EXPECT_EQ(loaded->decode(loaded->encode(text)), text);
  EXPECT_THROW(loaded->encode("x"), base::Error);
  loaded->save(folder_ / "b");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
    EXPECT_EQ(base::read_text(folder_ / "a" / name), base::read_text(folder_ / "b" / name));
  }
}

}  // namespace
}  // namespace tenfold::dataset
