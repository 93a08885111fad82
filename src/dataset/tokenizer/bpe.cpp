#include "dataset/tokenizer/bpe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/byte_alphabet.hpp"

namespace tenfold::dataset {

namespace {

constexpr std::string_view kMarker = "\u2581";

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

// Of 1 to 23 bytes.
std::uint64_t short_hash(std::string_view word) {
  std::uint64_t parts[3] = {};
  std::memcpy(parts, word.data(), word.size());
  const std::uint64_t front = mixed(parts[0] ^ 0x9E3779B97F4A7C15U, parts[1] ^ 0xD1B54A32D192ED03U);
  return mixed(front ^ parts[2] ^ 0x8CB92BA72F3D8DD7U, 0xABCC5167CCAD925FU ^ word.size());
}

// A marker that follows another character: merges then cross the beginning of a word.
bool marker_inside(std::string_view token) {
  for (std::size_t at = token.find(kMarker); at != std::string_view::npos;
       at = token.find(kMarker, at + 1)) {
    if (at > 0 && !token.substr(0, at).ends_with(kMarker)) return true;
  }
  return false;
}

// The two tokens of a merge, "a b" or ["a", "b"].
std::pair<std::string_view, std::string_view> merged_pair(const nlohmann::json& merge) {
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
      return {};
    }
    return {text.substr(0, space), text.substr(space + 1)};
  }
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
    return {};
  }
  return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
}

}  // namespace

BpeModel::BpeModel(const JsonNode& model, const TokenTable& table, bool bytes) : bytes_(bytes) {
  read_options(model, table);
  read_symbols(table);
  read_merges(model.at("merges"), table);
  if (!bytes_ && !ignore_merges_) find_marker(table);
}

void BpeModel::read_options(const JsonNode& model, const TokenTable& table) {
  model.only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
              "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"});
  const std::optional<JsonNode> dropout = model.find("dropout");
  if (dropout && dropout->value() != 0) dropout->refuse("dropout is not supported");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const std::optional<JsonNode> affix = model.find(key);
    if (affix && !affix->text().empty()) affix->refuse("is not supported");
  }
  const std::optional<JsonNode> unknown = model.find("unk_token");
  if (unknown) unknown_ = table.find(unknown->text());
  fuse_unknown_ = model.boolean_or("fuse_unk", false);
  byte_fallback_ = model.boolean_or("byte_fallback", false);
  ignore_merges_ = model.boolean_or("ignore_merges", false);
}

void BpeModel::read_symbols(const TokenTable& table) {
  byte_tokens_.resize(256);
  for (int byte = 0; byte < 256; ++byte) {
    byte_tokens_[byte] = table
                             .find(bytes_ ? byte_character(static_cast<std::uint8_t>(byte))
                                          : fmt::format("<0x{:02X}>", byte))
                             .value_or(-1);
  }
  all_bytes_ = std::find(byte_tokens_.begin(), byte_tokens_.end(), -1) == byte_tokens_.end();
  for (std::int32_t id = 0; id < table.size(); ++id) {
    if (!table.has(id) || table.text(id).empty()) continue;
    const std::string& text = table.text(id);
    const base::Utf8Character character = base::first_character(text);
    if (character.valid && static_cast<std::size_t>(character.bytes) == text.size()) {
      if (character.code >= characters_.size()) characters_.resize(character.code + 1, -1);
      characters_[character.code] = id;
    }
    if (!ignore_merges_) continue;
    if (const auto word = bytes_ ? spelled_bytes(text) : std::optional(text))
      whole_.emplace(*word, id);
  }
}

void BpeModel::read_merges(const JsonNode& merges, const TokenTable& table) {
  if (!merges.value().is_array()) merges.refuse("expected an array");
  merges_ = MergeTable(merges.value().size());
  std::int32_t rank = 0;
  std::string both;
  for (const nlohmann::json& merge : merges.value()) {
    const auto refuse = [&](std::string_view why) {
      merges.refuse(fmt::format(
          "merge {} ({}): {}", rank,
          base::printable(
              merge.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 80)),
          why));
    };
    const auto [left, right] = merged_pair(merge);
    if (left.empty() || right.empty()) refuse("not two tokens");
    both.assign(left).append(right);
    const auto first = table.find(left), second = table.find(right), made = table.find(both);
    if (!first || !second || !made) {
      refuse(fmt::format("\"{}\" is not in the vocabulary",
                         base::printable(!first ? left : (!second ? right : both))));
    }
    merges_.put(*first, *second, {rank++, *made});
  }
}

void BpeModel::find_marker(const TokenTable& table) {
  if (!table.find(kMarker)) return;
  for (std::int32_t id = 0; id < table.size(); ++id) {
    if (table.has(id) && marker_inside(table.text(id))) return;
  }
  marker_ = kMarker;
}

void BpeModel::append_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (marker_.empty()) return append_piece(word, ids);
  while (!word.empty()) {
    // The run of markers at the front, then up to the next marker.
    std::size_t end = 0;
    while (word.substr(end).starts_with(marker_)) end += marker_.size();
    end = std::min(word.find(marker_, end), word.size());
    append_piece(word.substr(0, end), ids);
    word.remove_prefix(end);
  }
}

void BpeModel::append_piece(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (word.size() <= ShortWordCache::kLongest) {
    append_cached(word, short_hash(word), short_words_, ids);
  } else if (word.size() <= LongWordCache::kLongest) {
    append_cached(word, base::xxh64(std::as_bytes(std::span(word))), long_words_, ids);
  } else {
    append_uncached(word, ids);
  }
}

template <class Cache>
void BpeModel::append_cached(std::string_view word, std::uint64_t hash, Cache& cache,
                             std::vector<std::int32_t>& ids) const {
  const std::span<const std::int32_t> known = cache.find(word, hash);
  if (!known.empty()) {
    ids.insert(ids.end(), known.begin(), known.end());
    return;
  }
  const std::size_t begin = ids.size();
  append_uncached(word, ids);
  cache.put(word, hash, std::span(ids).subspan(begin));
}

void BpeModel::append_uncached(std::string_view word, std::vector<std::int32_t>& ids) const {
  if (ignore_merges_) {
    const auto found = whole_.find(word);
    if (found != whole_.end()) return ids.push_back(found->second);
  }
  const std::size_t begin = ids.size();
  if (bytes_ && all_bytes_) {
    for (const char c : word) ids.push_back(byte_tokens_[static_cast<unsigned char>(c)]);
  } else {
    append_symbols(word, ids);
  }
  merge_symbols(merges_, ids, begin);
}

// An unknown token is held back until the next known symbol: a run of them may become one. Byte
// fallback does not end the run, as in Hugging Face's tokenizers.
void BpeModel::append_symbols(std::string_view word, std::vector<std::int32_t>& ids) const {
  bool unknown_waits = false;
  while (!word.empty()) {
    const auto byte = static_cast<unsigned char>(word[0]);
    const base::Utf8Character character = bytes_ || byte < 0x80
                                              ? base::Utf8Character{byte, 1, true, false}
                                              : base::first_character(word);
    const std::string_view symbol = word.substr(0, character.bytes);
    word.remove_prefix(symbol.size());
    std::int32_t token = -1;
    if (bytes_) {
      token = byte_tokens_[byte];
    } else if (character.code < characters_.size()) {
      token = characters_[character.code];
    }
    if (token >= 0) {
      if (unknown_waits) ids.push_back(*unknown_);
      unknown_waits = false;
      ids.push_back(token);
    } else if (!bytes_ && byte_fallback_ && std::all_of(symbol.begin(), symbol.end(), [&](char c) {
                 return byte_tokens_[static_cast<unsigned char>(c)] >= 0;
               })) {
      for (const char c : symbol) ids.push_back(byte_tokens_[static_cast<unsigned char>(c)]);
    } else {
      if (!unknown_) refuse_symbol(symbol);
      if (unknown_waits && !fuse_unknown_) ids.push_back(*unknown_);
      unknown_waits = true;
    }
  }
  if (unknown_waits) ids.push_back(*unknown_);
}

void BpeModel::refuse_symbol(std::string_view symbol) const {
  std::string bytes;
  for (const char c : symbol) bytes += fmt::format(" {:02X}", static_cast<unsigned char>(c));
  throw base::Error(
      base::Code::kData,
      fmt::format("the tokenizer has no token for \"{}\" (bytes{}) and no unknown token",
                  base::printable(symbol), bytes),
      "leave this text out, or take a tokenizer whose vocabulary has it");
}

}  // namespace tenfold::dataset
