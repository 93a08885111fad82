#include "dataset/tokenizer/added_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/tokenizer.hpp"

namespace tenfold::dataset {

namespace {

// Unicode's White_Space.
bool is_space(char32_t code) {
  return (code >= 9 && code <= 13) || code == ' ' || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

std::size_t spaces_at_front(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const base::Utf8Character character = base::first_character(text.substr(at));
    if (!character.valid || !is_space(character.code)) break;
    at += character.bytes;
  }
  return at;
}

std::size_t spaces_at_back(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && end - begin < 4 &&
           (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80)
      --begin;
    const base::Utf8Character character = base::first_character(text.substr(begin, end - begin));
    if (!character.valid || !is_space(character.code)) break;
    end = begin;
  }
  return text.size() - end;
}

}  // namespace

void read_vocabulary(const JsonNode& vocabulary, TokenTable& table) {
  if (!vocabulary.is_object()) vocabulary.refuse("expected an object");
  if (vocabulary.value().empty()) vocabulary.refuse("holds no token");
  table.expect(vocabulary.value().size());
  for (const auto& [text, id] : vocabulary.value().items()) {
    if (!id.is_number_integer()) {
      vocabulary.refuse(fmt::format("the id of \"{}\" is not an integer", base::printable(text)));
    }
    table.add(id.get<std::int64_t>(), text, vocabulary.where());
  }
}

AddedTokens::AddedTokens(const JsonNode& root, TokenTable& table) {
  const std::optional<JsonNode> list = root.find("added_tokens");
  if (!list) return;
  for (const JsonNode& node : list->elements()) {
    Token token = read(node, table);
    const bool normalized = node.boolean_or("normalized", !token.special);
    matchers_[normalized ? 1 : 0].tokens.push_back(std::move(token));
  }
  for (Matcher& matcher : matchers_) matcher.build();
}

AddedTokens::AddedTokens(const std::vector<std::pair<std::int32_t, std::string>>& specials) {
  for (const auto& [id, content] : specials) {
    matchers_[0].tokens.push_back({.id = id, .content = content, .special = true});
  }
  matchers_[0].build();
}

AddedTokens::Token AddedTokens::read(const JsonNode& node, TokenTable& table) {
  node.only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
  Token token;
  token.content = node.at("content").text();
  const std::int64_t id = node.at("id").integer();
  if (token.content.empty()) node.refuse("the token is empty");
  if (node.boolean_or("single_word", false)) node.refuse("\"single_word\" is not supported");
  const std::optional<std::int32_t> known = table.find(token.content);
  if (!known) {
    table.add(id, token.content, node.where());
  } else if (*known != id) {
    node.refuse(fmt::format("\"{}\" has id {} here and {} in the vocabulary",
                            base::printable(token.content), id, *known));
  }
  token.id = static_cast<std::int32_t>(id);
  token.left_strip = node.boolean_or("lstrip", false);
  token.right_strip = node.boolean_or("rstrip", false);
  token.special = node.boolean_or("special", false);
  if (token.special) table.set_special(token.id);
  return token;
}

void AddedTokens::normalize(const std::function<std::string(const std::string&)>& normalizer,
                            TokenTable& table) {
  Matcher& matcher = matchers_[1];
  for (Token& token : matcher.tokens) {
    token.content = normalizer(token.content);
    table.set_bytes(token.id, token.content);
  }
  matcher.build();
}

void AddedTokens::Matcher::build() {
  nodes.assign(1, {});
  begins.fill(false);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].content.empty()) continue;
    begins[static_cast<unsigned char>(tokens[i].content[0])] = true;
    int at = 0;
    for (const char c : tokens[i].content) {
      const auto [edge, is_new] =
          nodes[at].next.emplace(static_cast<unsigned char>(c), static_cast<int>(nodes.size()));
      at = edge->second;
      if (is_new) nodes.emplace_back();
    }
    if (nodes[at].token < 0) nodes[at].token = static_cast<int>(i);
  }
}

const AddedTokens::Token* AddedTokens::Matcher::longest(std::string_view text) const {
  int at = 0, best = -1;
  for (const char c : text) {
    const auto edge = nodes[at].next.find(static_cast<unsigned char>(c));
    if (edge == nodes[at].next.end()) break;
    at = edge->second;
    if (nodes[at].token >= 0) best = nodes[at].token;
  }
  return best < 0 ? nullptr : &tokens[best];
}

std::vector<AddedTokens::Part> AddedTokens::split(std::string_view text, Specials specials,
                                                  Stage stage) const {
  const Matcher& matcher = matchers_[stage == Stage::kRaw ? 0 : 1];
  std::vector<Part> parts;
  std::size_t done = 0;
  for (std::size_t at = 0; !matcher.tokens.empty() && at < text.size();) {
    if (!matcher.begins[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const Token* token = matcher.longest(text.substr(at));
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->content.size();
    at = end;
    if (token->special && specials == Specials::kIgnore) continue;
    if (token->left_strip) {
      begin = std::max(begin - spaces_at_back(text.substr(0, begin)), done);
    }
    if (token->right_strip) end += spaces_at_front(text.substr(end));
    if (done < begin) parts.push_back({text.substr(done, begin - done), std::nullopt});
    parts.push_back({text.substr(begin, end - begin), token->id});
    done = end;
  }
  if (done < text.size()) parts.push_back({text.substr(done), std::nullopt});
  return parts;
}

}  // namespace tenfold::dataset
