// Folders of models: which files are read, what they say of bos and eos, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "unit/base_folder.hpp"
#include "unit/dataset_small_tokenizer.hpp"

namespace tenfold::dataset {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TokenizerFolder : public tenfold::test::TemporaryFolder {
 protected:
  void put_tokenizer() const { put("tokenizer.json", test::small_tokenizer().dump()); }

  std::string refusal(base::Code code) const {
    try {
      load_tokenizer(folder_);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    return "no error";
  }
};

TEST_F(TokenizerFolder, WithoutTokenizerListsWhatIsThere) {
  EXPECT_THAT(refusal(base::Code::kIo),
              HasSubstr("neither tokenizer.json nor tokenizer.model; found: nothing"));
  put("model.safetensors", "");
  put("config.json", "{}");
  EXPECT_THAT(refusal(base::Code::kIo), HasSubstr("found: config.json, model.safetensors"));
  EXPECT_THROW(load_tokenizer(folder_ / "missing"), base::Error);
}

TEST_F(TokenizerFolder, RolesComeFromTheFileThatNamesThem) {
  put_tokenizer();
  EXPECT_EQ(load_tokenizer(folder_)->eos(), std::nullopt);
  EXPECT_THAT(load_tokenizer(folder_)->end_tokens(), IsEmpty());
  put("config.json", R"({"bos_token_id": 1, "eos_token_id": 2})");
  EXPECT_EQ(load_tokenizer(folder_)->bos(), 1);
  EXPECT_EQ(load_tokenizer(folder_)->eos(), 2);
  put("generation_config.json", R"({"eos_token_id": [3, 4]})");
  EXPECT_EQ(load_tokenizer(folder_)->eos(), 3);
  put("special_tokens_map.json", R"({"eos_token": {"content": "low", "lstrip": false}})");
  EXPECT_EQ(load_tokenizer(folder_)->eos(), 257);
  put("tokenizer_config.json", R"({"eos_token": "<s>", "bos_token": null, "unk_token": "er"})");
  const auto tokenizer = load_tokenizer(folder_);
  EXPECT_EQ(tokenizer->eos(), 261);
  EXPECT_EQ(tokenizer->bos(), 1);
  EXPECT_EQ(tokenizer->unknown(), 258);
  EXPECT_THAT(tokenizer->end_tokens(), ElementsAre(261, 3, 4, 2));
}

TEST_F(TokenizerFolder, RolesThatAreNoTokensAreRefused) {
  put_tokenizer();
  put("tokenizer_config.json", R"({"eos_token": "</s>"})");
  EXPECT_THAT(refusal(base::Code::kData),
              HasSubstr("eos_token: \"</s>\" is not in the vocabulary"));
  put("tokenizer_config.json", R"({"eos_token": 5})");
  EXPECT_THAT(refusal(base::Code::kData), HasSubstr("eos_token: expected a string"));
  put("tokenizer_config.json",
      R"({"added_tokens_decoder": {"262": {"content": "<|new|>", "special": true}}})");
  EXPECT_THAT(refusal(base::Code::kData), HasSubstr("\"<|new|>\" is not in the tokenizer"));
  put("tokenizer_config.json", "{}");
  put("generation_config.json", R"({"eos_token_id": 262})");
  EXPECT_THAT(refusal(base::Code::kData),
              HasSubstr("eos_token_id: id 262 is not in the vocabulary of 262"));
}

TEST_F(TokenizerFolder, WhatWasReadIsWrittenBackUnchanged) {
  const std::map<std::string, std::string> files{
      {"tokenizer.json", test::small_tokenizer().dump(3) + "\n"},
      {"tokenizer_config.json", "{ \"eos_token\" : \"<s>\" }"},
      {"chat_template.jinja", "{{ messages }}\r\n"}};
  for (const auto& [name, content] : files) put(name, content);
  load_tokenizer(folder_)->save(folder_ / "copy");
  for (const auto& [name, content] : files) {
    EXPECT_EQ(base::read_text(folder_ / "copy" / name), content);
  }
}

class PieceModel : public TokenizerFolder {
 protected:
  PieceModel()
      : model_(
            base::read_text(TENFOLD_SOURCE_DIR "/tests/golden/tokenizers/pieces/tokenizer.model")) {
    put("tokenizer.model", model_);
  }
  std::string model_;
};

TEST_F(PieceModel, KnowsItsRoles) {
  const auto tokenizer = load_tokenizer(folder_);
  EXPECT_EQ(tokenizer->unknown(), 0);
  EXPECT_EQ(tokenizer->bos(), 1);
  EXPECT_EQ(tokenizer->eos(), 2);
  EXPECT_TRUE(tokenizer->is_special(2));
  EXPECT_THAT(tokenizer->encode("</s>", {.specials = Specials::kUse}), ElementsAre(2));
  EXPECT_FALSE(tokenizer->encode("</s>").empty());
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("</s>")), "</s>");
  tokenizer->save(folder_ / "copy");
  EXPECT_EQ(base::read_text(folder_ / "copy" / "tokenizer.model"), model_);
}

TEST_F(PieceModel, ContinuesAText) {
  const auto tokenizer = load_tokenizer(folder_);
  const std::string begin = "The answer", end = " is 72.";
  const auto prompt = tokenizer->encode(begin);
  const auto rest = tokenizer->encode(end, {.continuation = true});
  EXPECT_EQ(tokenizer->decode_after(prompt, rest), end);
  EXPECT_EQ(tokenizer->decode(rest), "is 72.");
  auto both = prompt;
  both.insert(both.end(), rest.begin(), rest.end());
  EXPECT_EQ(both, tokenizer->encode(begin + end));
  EXPECT_EQ(tokenizer->decode_after(prompt, tokenizer->encode("x", {.continuation = true})), "x");
}

TEST_F(PieceModel, TextThatIsNotUtf8IsReplaced) {
  const auto tokenizer = load_tokenizer(folder_);
  EXPECT_EQ(tokenizer->encode("a\xff\xf0\x9f z"), tokenizer->encode("a\uFFFD\uFFFD z"));
}

TEST_F(PieceModel, DamagedModelsAreRefused) {
  for (const std::string& content : {std::string(), std::string("IQ== 0\nIg== 1\n"),
                                     model_.substr(0, 1000), "\xff\xff\xff" + model_}) {
    put("tokenizer.model", content);
    EXPECT_THROW(load_tokenizer(folder_), base::Error);
  }
  put("tokenizer.model", "IQ== 0\n");
  EXPECT_THAT(refusal(base::Code::kData), HasSubstr("not a model of SentencePiece"));
  put("tokenizer.model", model_);
  put("added_tokens.json", R"({"<|new|>": 450})");
  EXPECT_THAT(refusal(base::Code::kData), HasSubstr("<|new|>: is not in the tokenizer"));
}

}  // namespace
}  // namespace tenfold::dataset
