// What a tokenizer.json may hold: closed cases, and refusals that name what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "base/utf8.hpp"
#include "unit/dataset_small_tokenizer.hpp"

namespace tenfold::dataset {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::vector<std::int32_t>;
using Json = nlohmann::json;

std::string refusal(const Json& file) {
  try {
    test::read(file);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kData);
    EXPECT_THAT(error.what(), HasSubstr("tokenizer.json: "));
    return error.what();
  }
  return "no error";
}

TEST(TokenizerJson, MergesByRank) {
  const auto tokenizer = test::read(test::small_tokenizer());
  EXPECT_EQ(tokenizer->vocabulary_size(), 262);
  EXPECT_THAT(tokenizer->encode("low"), ElementsAre(257));
  EXPECT_THAT(tokenizer->encode("lower"), ElementsAre(257, 258));
  EXPECT_THAT(tokenizer->encode(" lower"), ElementsAre(260));
  // "low" is merged before "er", so the r of "err" is left over; "lllo" merges its last two.
  EXPECT_THAT(tokenizer->encode("llowerr"), ElementsAre('l', 257, 258, 'r'));
  EXPECT_THAT(tokenizer->encode("a  b"), ElementsAre('a', ' ', ' ', 'b'));
  EXPECT_EQ(tokenizer->token_text(260), "Ġlower");
}

TEST(TokenizerJson, MergesArePairsOrStrings) {
  Json file = test::small_tokenizer();
  file["model"]["merges"] = Json::parse(R"([["l", "o"], ["lo", "w"]])");
  EXPECT_THAT(test::read(file)->encode("lower"), ElementsAre(257, 'e', 'r'));
}

TEST(TokenizerJson, WholeWordsGoBeforeMergesWhenAsked) {
  Json file = test::small_tokenizer();
  file["model"]["merges"] = Json::array();
  EXPECT_THAT(test::read(file)->encode("low"), ElementsAre('l', 'o', 'w'));
  file["model"]["ignore_merges"] = true;
  EXPECT_THAT(test::read(file)->encode("low lower"), ElementsAre(257, 260));
}

TEST(TokenizerJson, ContinuationsGetNoSpace) {
  Json file = test::small_tokenizer();
  file["pre_tokenizer"]["add_prefix_space"] = true;
  const auto tokenizer = test::read(file);
  EXPECT_THAT(tokenizer->encode("low"), ElementsAre(259));
  EXPECT_THAT(tokenizer->encode("low", {.continuation = true}), ElementsAre(257));
  EXPECT_THAT(tokenizer->encode(" low", {.continuation = true}), ElementsAre(259));
}

TEST(TokenizerJson, ByteLevelRoundTripsAnyBytes) {
  Json file = test::small_tokenizer();
  const auto plain = test::read(file);
  file["normalizer"] = Json{{"type", "NFC"}};
  const auto normalizing = test::read(file);
  base::Stream stream(3, base::Purpose::kTest, 0, 0);
  for (int trial = 0; trial < 500; ++trial) {
    std::string text;
    for (std::uint64_t count = stream.below(30); count > 0; --count) {
      text += static_cast<char>(stream.below(4) == 0 ? 'a' + stream.below(26) : stream.below(256));
    }
    EXPECT_EQ(plain->decode(plain->encode(text)), text);
    EXPECT_EQ(normalizing->encode(text).empty(), text.empty());
  }
  EXPECT_EQ(normalizing->decode(normalizing->encode("e\u0301\xff")), "\u00e9\xff");
  EXPECT_THAT(plain->encode("\xfflow\xff"), ElementsAre(255, 257, 255));
}

TEST(TokenizerJson, AMegabyteTakesNoTimeToSpeakOf) {
  const auto tokenizer = test::read(test::small_tokenizer());
  Json file = test::small_tokenizer();
  file["pre_tokenizer"] =
      Json{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const auto one_word = test::read(file);
  for (const char* part : {"l", " ", "lo", "1", "\n", "lower ", "\xff", "🙂", "\u0301"}) {
    std::string text;
    while (text.size() < 1'000'000) text += part;
    for (const auto* which : {&tokenizer, &one_word}) {
      EXPECT_EQ((*which)->decode((*which)->encode(text)), text);
    }
  }
}

TEST(TokenizerJson, CharactersWithoutTokenAreNamed) {
  Json file = test::small_tokenizer();
  file["model"]["vocab"].erase("z");
  const auto tokenizer = test::read(file);
  try {
    tokenizer->encode("az");
    ADD_FAILURE() << "no error";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no token for \"z\" (bytes 7A)"));
  }
  file["model"]["unk_token"] = "lo";
  EXPECT_THAT(test::read(file)->encode("azz"), ElementsAre('a', 256, 256));
  file["model"]["fuse_unk"] = true;
  EXPECT_THAT(test::read(file)->encode("azz"), ElementsAre('a', 256));
  EXPECT_EQ(test::read(file)->unknown(), 256);
}

struct Change {
  const char* pointer;  ///< JSON pointer of what is changed
  const char* value;
  const char* message;
};

class RefusedFile : public ::testing::TestWithParam<Change> {};

TEST_P(RefusedFile, SaysWhatIsWrong) {
  Json file = test::small_tokenizer();
  file[Json::json_pointer(GetParam().pointer)] = Json::parse(GetParam().value);
  EXPECT_THAT(refusal(file), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RefusedFile,
    ::testing::Values(
        Change{"/model/type", R"("Unigram")", "type \"Unigram\" is not supported"},
        Change{"/model/type", "7", "model: type: expected a string, found number"},
        Change{"/model", "[]", "model: expected an object, found array"},
        Change{"/model/dropout", "0.1", "model: dropout"},
        Change{"/model/continuing_subword_prefix", R"("##")", "continuing_subword_prefix"},
        Change{"/model/surprise", "1", "model: member \"surprise\" is not known"},
        Change{"/surprise", "1", "member \"surprise\" is not known"},
        Change{"/model/vocab", "{}", "model: vocab: holds no token"},
        Change{"/model/vocab", "[]", "model: vocab: expected an object"},
        Change{"/model/vocab/low", "256", "tokens \"lo\" and \"low\" have the same id 256"},
        Change{"/model/vocab/low", "-1", "id -1 of token \"low\""},
        Change{"/model/vocab/low", "1000000000", "id 1000000000 of token \"low\""},
        Change{"/model/vocab/low", "2.5", "the id of \"low\" is not an integer"},
        Change{"/model/merges", "{}", "model: merges: expected an array"},
        Change{"/model/merges/1", R"("lo q")",
               "merge 1 (\"lo q\"): \"loq\" is not in the vocabulary"},
        Change{"/model/merges/1", R"(["lo", "hello"])", "\"hello\" is not in the vocabulary"},
        Change{"/model/merges/1", R"("lo w er")", "merge 1 (\"lo w er\"): not two tokens"},
        Change{"/model/merges/1", R"(["lo"])", "not two tokens"},
        Change{"/model/merges/1", "5", "not two tokens"},
        Change{"/added_tokens/0/id", "5", "and \"<s>\" have the same id 5"},
        Change{"/added_tokens/0/content", R"("low")", "\"low\" has id 261 here and 257"},
        Change{"/added_tokens/0/content", R"("")", "the token is empty"},
        Change{"/added_tokens/0/single_word", "true", "added_tokens[0]: \"single_word\""},
        Change{"/added_tokens/0/lstrip", "1", "lstrip: expected true or false"},
        Change{"/normalizer", R"({"type": "Lowercase"})", "normalizer: type \"Lowercase\""},
        Change{"/normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": "x"})",
               "the pattern is empty"},
        Change{"/pre_tokenizer/type", R"("BertPreTokenizer")", "type \"BertPreTokenizer\""},
        Change{"/pre_tokenizer",
               R"({"type": "Sequence", "pretokenizers": [{"type": "UnicodeScripts"}]})",
               "pretokenizers[0]: type \"UnicodeScripts\""},
        Change{"/decoder", R"({"type": "WordPiece"})", "decoder: type \"WordPiece\""},
        Change{"/decoder", "null", "decoder: there is none"},
        Change{"/decoder", R"({"type": "Sequence", "decoders": [{"type": "Fuse"},
               {"type": "Strip", "content": " ", "start": 0, "stop": 1}]})",
               "stop: only 0 is supported"},
        Change{"/decoder", R"({"type": "Sequence", "decoders": [{"type": "Fuse"},
               {"type": "Replace", "pattern": {"String": "a"}, "content": "b"}]})",
               "\"Replace\" after Fuse"}));

TEST(TokenizerJson, ExpressionsThatPcreReadsDifferentlyAreRefused) {
  for (const char* expression :
       {R"(\w+)", R"(\bx)", R"(\h)", R"(\v)", "^a", "a$", "[a[bc]]", "[a&&b]", "(?m:.)", "a{2}+",
        "a{,3}", R"(\p{Latn})", R"([\S])", R"((a)\1)", "[]a]", "(?<n>a)"}) {
    Json file = test::small_tokenizer();
    file["pre_tokenizer"] =
        Json{{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}};
    EXPECT_THAT(refusal(file), HasSubstr("is not supported in a regular expression")) << expression;
  }
  Json file = test::small_tokenizer();
  file["pre_tokenizer"] =
      Json{{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}};
  EXPECT_THAT(refusal(file), HasSubstr("missing closing parenthesis"));
}

TEST(TokenizerJson, ExpressionsWithoutEndAreStopped) {
  Json file = test::small_tokenizer();
  const Json split{
      {"type", "Split"}, {"pattern", {{"Regex", R"((l+)+\p{Lu})"}}}, {"behavior", "Isolated"}};
  file["pre_tokenizer"] =
      Json{{"type", "Sequence"}, {"pretokenizers", {split, file["pre_tokenizer"]}}};
  const auto tokenizer = test::read(file);
  EXPECT_THROW(tokenizer->encode(std::string(64, 'l') + "y"), base::Error);
}

TEST(TokenizerJson, BrokenTextIsRefused) {
  const std::string text = test::small_tokenizer().dump();
  for (std::size_t size = 0; size < text.size(); size += 97) {
    EXPECT_THROW(read_tokenizer_json(text.substr(0, size), "tokenizer.json"), base::Error);
  }
  EXPECT_THROW(read_tokenizer_json(std::string(1'000'000, '['), "tokenizer.json"), base::Error);
}

}  // namespace
}  // namespace tenfold::dataset
