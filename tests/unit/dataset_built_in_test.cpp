// Character and byte tokenizers, and text that comes id by id.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/philox.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/tokenizer.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::dataset {
namespace {

using ::testing::ElementsAre;
using Ids = std::vector<std::int32_t>;

TEST(CharTokenizer, HasOneIdForEachCharacter) {
  const auto tokenizer = make_char_tokenizer(std::vector<std::string>{"a", " ", "\n", "é"},
                                             {.bos = "<s>", .others = {"|"}});
  EXPECT_EQ(tokenizer->vocabulary_size(), 6);
  EXPECT_THAT(tokenizer->encode("a  é\n"), ElementsAre(2, 3, 3, 5, 4));
  EXPECT_EQ(tokenizer->decode(Ids{2, 3, 3, 5, 4}), "a  é\n");
  EXPECT_THROW(tokenizer->encode("b"), base::Error);
  EXPECT_TRUE(tokenizer->is_special(1));
  EXPECT_THAT(tokenizer->encode("<s>a|", {.specials = Specials::kUse}), ElementsAre(0, 2, 1));
}

TEST(CharTokenizer, UnknownCharactersAreATokenWhenAsked) {
  const auto tokenizer = make_char_tokenizer(std::vector<std::string>{"a"}, {.unknown = "<unk>"});
  EXPECT_THAT(tokenizer->encode("ab\xffz"), ElementsAre(1, 0, 0, 0));
}

TEST(CharTokenizer, RefusesWhatIsNotOneCharacter) {
  for (const char* text : {"", "ab", "\xc3", "e\u0301"}) {
    EXPECT_THROW(make_char_tokenizer(std::vector<std::string>{text}, {}), base::Error) << text;
  }
}

TEST(ByteTokenizer, RoundTripsAnyBytes) {
  const auto tokenizer = make_byte_tokenizer({.bos = "<s>", .eos = "</s>"});
  EXPECT_EQ(tokenizer->vocabulary_size(), 258);
  EXPECT_EQ(tokenizer->eos(), 257);
  std::string all;
  Ids expected;
  for (int byte = 255; byte >= 0; --byte) {
    all += static_cast<char>(byte);
    expected.push_back(byte);
  }
  EXPECT_EQ(tokenizer->encode(all), expected);
  EXPECT_EQ(tokenizer->decode(expected), all);
  EXPECT_THAT(tokenizer->encode("a</s>", {.specials = Specials::kUse}), ElementsAre('a', 257));
  EXPECT_THAT(tokenizer->encode("</s>"), ElementsAre('<', '/', 's', '>'));
  EXPECT_THROW(make_byte_tokenizer({.unknown = "?"}), base::Error);
}

TEST(Detokenizer, GivesWholeCharactersOnly) {
  const auto tokenizer = make_byte_tokenizer({});
  Detokenizer text(*tokenizer);
  EXPECT_EQ(text.push(0xF0), "");
  EXPECT_EQ(text.push(0x9F), "");
  EXPECT_EQ(text.push(0x99), "");
  EXPECT_EQ(text.push(0x82), "🙂");
  EXPECT_EQ(text.push('a'), "a");
  EXPECT_EQ(text.push(0x82), "\x82");  // no byte can make it a character
  EXPECT_EQ(text.push(0xE2), "");
  EXPECT_EQ(text.push('b'), "\xE2\x62");
  EXPECT_EQ(text.push(0xC3), "");
  EXPECT_EQ(text.flush(), "\xC3");
  EXPECT_EQ(text.flush(), "");
}

TEST(Detokenizer, IncrementsAreTheWholeText) {
  const auto tokenizer = make_byte_tokenizer({.bos = "<s>"});
  base::Stream stream(2, base::Purpose::kTest, 0, 0);
  for (int trial = 0; trial < 300; ++trial) {
    Ids ids;
    for (std::uint64_t count = stream.below(40); count > 0; --count) {
      // Many bytes of characters of several bytes.
      ids.push_back(static_cast<std::int32_t>(stream.below(2) == 0 ? 0x80 + stream.below(128)
                                                                   : stream.below(257)));
    }
    const std::size_t cut = stream.below(ids.size() + 1);
    const std::span<const std::int32_t> before(ids.data(), cut),
        after(ids.data() + cut, ids.size() - cut);
    Detokenizer text(*tokenizer, before, Specials::kUse);
    std::string all;
    for (const std::int32_t id : after) {
      all += text.push(id);
    }
    all += text.flush();
    EXPECT_EQ(all, tokenizer->decode_after(before, after, Specials::kUse));
    EXPECT_EQ(tokenizer->decode(before, Specials::kUse) + all,
              tokenizer->decode(ids, Specials::kUse));
  }
}

TEST(Detokenizer, IncrementsOfTextAreText) {
  const auto tokenizer = make_byte_tokenizer({});
  Detokenizer text(*tokenizer);
  std::string all;
  for (const std::int32_t id : tokenizer->encode("Zürich 日本語 🙂🇨🇭\n")) {
    const std::string more = text.push(id);
    EXPECT_TRUE(base::is_valid_utf8(more));
    all += more;
  }
  EXPECT_EQ(text.flush(), "");
  EXPECT_EQ(all, "Zürich 日本語 🙂🇨🇭\n");
}

TEST(Utf8, ReplacesAsPythonDoes) {
  // Expected: Python's bytes.decode("utf-8", errors="replace").
  const std::pair<std::string, std::string> cases[] = {
      {"a\xff\xfe", "a\uFFFD\uFFFD"},
      {"\xf0\x9f\x99", "\uFFFD"},
      {"\xf0\x9f\x99z", "\uFFFDz"},
      {"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},  // a surrogate
      {"\xc0\xaf", "\uFFFD\uFFFD"},            // overlong
      {"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"\xe2\x82\x28", "\uFFFD("},
      {"\x80\xbf", "\uFFFD\uFFFD"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(base::valid_utf8(text), expected);
    EXPECT_FALSE(base::is_valid_utf8(text));
    EXPECT_TRUE(base::is_valid_utf8(expected));
  }
  EXPECT_EQ(base::valid_utf8("日本🙂\u0300"), "日本🙂\u0300");
}

using BuiltInFiles = test::TemporaryFolder;

TEST_F(BuiltInFiles, SavedAndLoadedAreTheSame) {
  const SpecialTokens specials{.bos = "<s>", .eos = "</s>"};
  std::vector<std::unique_ptr<Tokenizer>> made;
  made.push_back(make_byte_tokenizer(specials));
  made.push_back(make_char_tokenizer(std::vector<std::string>{"a", "\n", "é"}, specials));
  const std::string text = "a\né";
  for (const auto& tokenizer : made) {
    tokenizer->save(folder_);
    const auto loaded = load_tokenizer(folder_);
    EXPECT_EQ(loaded->vocabulary_size(), tokenizer->vocabulary_size());
    EXPECT_EQ(loaded->eos(), tokenizer->eos());
    EXPECT_EQ(loaded->encode(text), tokenizer->encode(text));
    EXPECT_EQ(loaded->decode(loaded->encode(text)), text);
  }
}

}  // namespace
}  // namespace tenfold::dataset
