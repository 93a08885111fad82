#include "dataset/tokenizer/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "dataset/tokenizer/bpe_tokenizer.hpp"
#include "dataset/tokenizer/sentencepiece_tokenizer.hpp"
#include "dataset/tokenizer/word_tokenizer.hpp"

namespace tenfold::dataset {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kMostBytes = std::size_t{512} << 20;
// What belongs to a tokenizer; the first of these that is there is the tokenizer itself.
constexpr std::array<const char*, 6> kFiles{"tokenizer.json",        "tokenizer.model",
                                            "tokenizer_config.json", "special_tokens_map.json",
                                            "added_tokens.json",     "chat_template.jinja"};

[[noreturn]] void refuse_directory(const fs::path& directory) {
  std::vector<std::string> found;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, failed)) {
    found.push_back(entry.path().filename().string());
  }
  if (failed) {
    throw base::Error(base::Code::kIo, fmt::format("tokenizer directory {}: {}", directory.string(),
                                                   failed.message()));
  }
  std::sort(found.begin(), found.end());
  throw base::Error(
      base::Code::kIo,
      fmt::format("{} holds neither tokenizer.json nor tokenizer.model; found: {}",
                  directory.string(), found.empty() ? "nothing" : base::join(found, ", ")),
      "name the folder of a model in Hugging Face's format");
}

// The token of a role: "</s>", or {"content": "</s>", ...}.
std::optional<std::int32_t> named_token(const JsonNode& file, const char* key,
                                        const Tokenizer& tokenizer) {
  const std::optional<JsonNode> named = file.find(key);
  if (!named) return std::nullopt;
  const JsonNode content = named->is_object() ? named->at("content") : *named;
  const std::optional<std::int32_t> id = tokenizer.token_id(content.text());
  if (!id) {
    content.refuse(
        fmt::format("\"{}\" is not in the vocabulary", base::printable(content.text())),
        "export the tokenizer again with the transformers package, so that both files agree");
  }
  return id;
}

std::int32_t checked_id(const JsonNode& node, const Tokenizer& tokenizer) {
  const std::int64_t id = node.integer();
  if (id < 0 || id >= tokenizer.vocabulary_size()) {
    node.refuse(
        fmt::format("id {} is not in the vocabulary of {}", id, tokenizer.vocabulary_size()));
  }
  return static_cast<std::int32_t>(id);
}

// The ids of "eos_token_id" and the like: one, or a list.
std::vector<std::int32_t> numbered_tokens(const JsonNode& file, const char* key,
                                          const Tokenizer& tokenizer) {
  const std::optional<JsonNode> node = file.find(key);
  std::vector<std::int32_t> ids;
  if (!node) return ids;
  if (!node->value().is_array()) return {checked_id(*node, tokenizer)};
  for (const JsonNode& element : node->elements()) ids.push_back(checked_id(element, tokenizer));
  return ids;
}

class RoleReader {
 public:
  RoleReader(const fs::path& directory, const Tokenizer& tokenizer)
      : directory_(directory), tokenizer_(tokenizer) {
    roles_.unknown = tokenizer.unknown();
    roles_.bos = tokenizer.bos();
    roles_.eos = tokenizer.eos();
  }

  TokenRoles read() {
    std::optional<std::int32_t> bos, eos;
    for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
      with_file(name, [&](const JsonNode& file) {
        if (!bos) bos = named_token(file, "bos_token", tokenizer_);
        if (!eos) eos = named_token(file, "eos_token", tokenizer_);
        if (!roles_.unknown) roles_.unknown = named_token(file, "unk_token", tokenizer_);
        check_added(file);
      });
    }
    with_file("added_tokens.json", [&](const JsonNode& file) { check_spellings(file); });
    if (bos) roles_.bos = bos;
    if (eos) roles_.eos = eos;
    if (roles_.eos) roles_.ends.push_back(*roles_.eos);
    for (const char* name : {"generation_config.json", "config.json"}) {
      with_file(name, [&](const JsonNode& file) { read_numbers(file); });
    }
    return std::move(roles_);
  }

 private:
  template <class Body>
  void with_file(const char* name, Body body) {
    const fs::path path = directory_ / name;
    if (!fs::exists(path)) return;
    const Json parsed = parse_json(base::read_text(path, kMostBytes), path.string());
    body(JsonNode(parsed, path.string()));
  }

  // Hugging Face adds these to what tokenizer.json says; files that agree need nothing.
  void check_added(const JsonNode& file) const {
    const std::optional<JsonNode> added = file.find("added_tokens_decoder");
    if (!added) return;
    if (!added->is_object()) added->refuse("expected an object");
    for (const auto& [id, token] : added->value().items()) {
      const JsonNode node(token, fmt::format("{}: {}", added->where(), base::printable(id)));
      const std::string& content = node.at("content").text();
      const std::optional<std::int32_t> known = tokenizer_.token_id(content);
      if (!known || std::to_string(*known) != id) {
        node.refuse(
            fmt::format("\"{}\" is not in the tokenizer with this id", base::printable(content)),
            "export the tokenizer again with the transformers package");
      }
    }
  }

  // {"token": id}, for a tokenizer.model.
  void check_spellings(const JsonNode& file) const {
    if (!file.is_object()) file.refuse("expected an object");
    for (const auto& [content, id] : file.value().items()) {
      const JsonNode node(id, fmt::format("{}: {}", file.where(), base::printable(content)));
      if (tokenizer_.token_id(content) != node.integer()) {
        node.refuse("is not in the tokenizer with this id",
                    "export a tokenizer.json with the transformers package");
      }
    }
  }

  void read_numbers(const JsonNode& file) {
    const std::vector<std::int32_t> bos = numbered_tokens(file, "bos_token_id", tokenizer_);
    if (!roles_.bos && !bos.empty()) roles_.bos = bos.front();
    for (const std::int32_t id : numbered_tokens(file, "eos_token_id", tokenizer_)) {
      if (!roles_.eos) roles_.eos = id;
      if (std::find(roles_.ends.begin(), roles_.ends.end(), id) == roles_.ends.end()) {
        roles_.ends.push_back(id);
      }
    }
  }

  fs::path directory_;
  const Tokenizer& tokenizer_;
  TokenRoles roles_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_tokenizer_json(const std::string& text, const std::string& file) {
  const Json parsed = parse_json(text, file);
  const JsonNode root(parsed, file);
  root.only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
             "post_processor", "decoder", "model"});
  const JsonNode model = root.at("model");
  const std::string& type = model.type();
  if (type == "BPE") return std::make_unique<BpeTokenizer>(root);
  if (type == "WordLevel") return std::make_unique<WordTokenizer>(root);
  model.refuse(fmt::format("type \"{}\" is not supported", base::printable(type)),
               "supported: BPE, WordLevel");
}

void TokenizerLoader::finish(Tokenizer& tokenizer, TokenRoles roles,
                             std::vector<TokenizerFile> files) {
  tokenizer.roles_ = std::move(roles);
  tokenizer.files_ = std::move(files);
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::string& directory) {
  const fs::path folder(directory);
  const fs::path json = folder / "tokenizer.json", model = folder / "tokenizer.model";
  std::vector<TokenizerFile> files;
  for (const char* name : kFiles) {
    const fs::path path = folder / name;
    if (fs::exists(path)) files.emplace_back(name, base::read_text(path, kMostBytes));
  }
  std::unique_ptr<Tokenizer> tokenizer;
  if (fs::exists(json)) {
    tokenizer = read_tokenizer_json(files.front().second, json.string());
  } else if (fs::exists(model)) {
    tokenizer = std::make_unique<SentencePieceTokenizer>(files.front().second, model.string());
  } else {
    refuse_directory(folder);
  }
  TokenRoles roles = RoleReader(folder, *tokenizer).read();
  TokenizerLoader::finish(*tokenizer, std::move(roles), std::move(files));
  return tokenizer;
}

}  // namespace tenfold::dataset
