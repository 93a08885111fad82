#include "dataset/tokenizer/decoder.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/byte_alphabet.hpp"
#include "dataset/tokenizer/normalizer.hpp"
#include "dataset/tokenizer/pattern.hpp"

namespace tenfold::dataset {

namespace {

constexpr const char* kSupported =
    "supported: ByteLevel, Metaspace, and Sequence of Replace, ByteFallback, Fuse, Strip";

template <class Change>
void change_bytes(TokenTable& table, Change change) {
  for (std::int32_t id = 0; id < table.size(); ++id) {
    if (!table.has(id)) continue;
    std::string changed = change(table.bytes(id));
    if (changed != table.bytes(id)) table.set_bytes(id, std::move(changed));
  }
}

// "<0x0A>" is byte 10.
std::string fallback_byte(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return token;
  unsigned byte = 0;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  if (error != std::errc() || end != token.data() + 5) return token;
  return std::string(1, static_cast<char>(byte));
}

class SequenceReader {
 public:
  explicit SequenceReader(TokenTable& table) : table_(table) {}

  void add(const JsonNode& node) {
    const std::string& type = node.type();
    if (fused_ && type != "Fuse" && type != "Strip") {
      node.refuse(fmt::format("type \"{}\" after Fuse is not supported", base::printable(type)));
    }
    if (type == "Sequence") {
      node.only({"type", "decoders"});
      for (const JsonNode& element : node.at("decoders").elements()) add(element);
    } else if (type == "ByteLevel") {
      node.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
      change_bytes(table_,
                   [](const std::string& token) { return spelled_bytes(token).value_or(token); });
      fused_ = true;
    } else if (type == "Metaspace") {
      metaspace(node);
    } else if (type == "Replace") {
      node.only({"type", "pattern", "content"});
      const Pattern pattern(node.at("pattern"));
      const std::string& content = node.at("content").text();
      change_bytes(table_, [&](const std::string& token) {
        return base::is_valid_utf8(token) ? replace_all(token, pattern, content) : token;
      });
    } else if (type == "ByteFallback") {
      node.only({"type"});
      change_bytes(table_, fallback_byte);
    } else if (type == "Fuse") {
      node.only({"type"});
      fused_ = true;
    } else if (type == "Strip") {
      strip(node);
    } else {
      node.refuse(fmt::format("type \"{}\" is not supported", base::printable(type)), kSupported);
    }
  }

  void finish() { table_.set_rules(std::move(rules_)); }

 private:
  void set_start(const JsonNode& node, DecodeRules::Start start) {
    if (rules_.start != DecodeRules::Start::kAsIs) node.refuse("comes after another such decoder");
    rules_.start = start;
  }

  void metaspace(const JsonNode& node) {
    node.only({"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
    const std::string& marker = node.at("replacement").text();
    if (marker.empty()) node.at("replacement").refuse("is empty");
    const std::optional<JsonNode> scheme = node.find("prepend_scheme");
    const bool never =
        (scheme && scheme->text() == "never") || !node.boolean_or("add_prefix_space", true);
    if (!never) {
      set_start(node, DecodeRules::Start::kBareToken);
      rules_.marker = marker;
    }
    const Pattern pattern = Pattern::of_text(marker);
    change_bytes(table_,
                 [&](const std::string& token) { return replace_all(token, pattern, " "); });
    fused_ = true;
  }

  void strip(const JsonNode& node) {
    node.only({"type", "content", "start", "stop"});
    const JsonNode start = node.at("start"), stop = node.at("stop"), content = node.at("content");
    if (!fused_) node.refuse("Strip before Fuse is not supported");
    if (stop.integer() != 0) stop.refuse("only 0 is supported: text comes token by token");
    if (start.integer() < 0 || start.integer() > 1000) start.refuse("not in 0 .. 1000");
    const std::string& character = content.text();
    if (character.empty() ||
        base::first_character(character).bytes != static_cast<int>(character.size())) {
      content.refuse("not one character");
    }
    set_start(node, DecodeRules::Start::kStripText);
    rules_.strip = static_cast<int>(start.integer());
    rules_.strip_content = character;
  }

  TokenTable& table_;
  DecodeRules rules_;
  bool fused_ = false;
};

}  // namespace

void read_decoder(const JsonNode& root, TokenTable& table) {
  const std::optional<JsonNode> node = root.find("decoder");
  if (!node) {
    root.refuse("decoder: there is none: the tokens' text is not known", kSupported);
  }
  SequenceReader reader(table);
  reader.add(*node);
  reader.finish();
}

}  // namespace tenfold::dataset
