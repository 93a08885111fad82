#include "dataset/tokenizer/token_table.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::dataset {

namespace {

constexpr std::size_t kPadding = 65536;
constexpr std::size_t kMostTokens = std::size_t{1} << 24;

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (prefix.empty() || !text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

void TokenTable::expect(std::size_t tokens) {
  limit_ = static_cast<std::int64_t>(2 * std::min(tokens, kMostTokens) + kPadding);
}

void TokenTable::add(std::int64_t id, std::string text, std::string_view where) {
  if (id < 0 || id >= limit_) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: id {} of token \"{}\" is not in 0 .. {}", where, id,
                                  base::printable(text), limit_ - 1),
                      "ids number the rows of an embedding: few of them may be left out");
  }
  const auto place = static_cast<std::int32_t>(id);
  if (has(place)) {
    throw base::Error(
        base::Code::kData,
        fmt::format("{}: tokens \"{}\" and \"{}\" have the same id {}", where,
                    base::printable(entries_[place].text), base::printable(text), id));
  }
  const auto [other, is_new] = ids_.emplace(text, place);
  if (!is_new) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: token \"{}\" has two ids, {} and {}", where,
                                  base::printable(text), other->second, id));
  }
  if (place >= size()) entries_.resize(static_cast<std::size_t>(place) + 1);
  entries_[place].text = std::move(text);
  entries_[place].present = true;
}

bool TokenTable::has(std::int32_t id) const {
  return id >= 0 && id < size() && entries_[id].present;
}

std::optional<std::int32_t> TokenTable::find(std::string_view text) const {
  const auto found = ids_.find(text);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const std::string& TokenTable::text(std::int32_t id) const {
  if (!has(id)) {
    throw base::Error(
        base::Code::kData,
        fmt::format("token id {} is not in the tokenizer's vocabulary of {}", id, size()),
        "a model with more rows than tokens must not sample the surplus");
  }
  return entries_[id].text;
}

void TokenTable::set_bytes(std::int32_t id, std::string bytes) {
  entries_.at(id).bytes = std::move(bytes);
  entries_.at(id).own_bytes = true;
}

const std::string& TokenTable::bytes(std::int32_t id) const {
  const std::string& spelling = text(id);
  return entries_[id].own_bytes ? entries_[id].bytes : spelling;
}

void TokenTable::append_text(std::int32_t id, bool write_special, DecodeState& state,
                             std::string& out) const {
  const std::string& spelling = text(id);
  const Entry& entry = entries_[id];
  if (entry.special && !write_special) return;
  if (state.at_start && rules_.start != DecodeRules::Start::kAsIs) {
    append_at_start(entry, state, out);
  } else {
    out += entry.own_bytes ? entry.bytes : spelling;
    state.at_start = false;
  }
  if (rules_.start == DecodeRules::Start::kWords) state.at_start = spelling == "\n";
}

void TokenTable::append_at_start(const Entry& entry, DecodeState& state, std::string& out) const {
  std::string_view text = entry.own_bytes ? entry.bytes : entry.text;
  switch (rules_.start) {
    case DecodeRules::Start::kStripText:
      while (state.stripped < rules_.strip && take_prefix(text, rules_.strip_content)) {
        ++state.stripped;
      }
      state.at_start = text.empty() && state.stripped < rules_.strip;
      out += text;
      return;
    case DecodeRules::Start::kBareToken: {
      std::string_view rest = entry.text;
      for (std::size_t at = 0; (at = rest.find(rules_.marker)) != std::string_view::npos;) {
        out += rest.substr(0, at);
        rest.remove_prefix(at + rules_.marker.size());
      }
      out += rest;
      state.at_start = false;
      return;
    }
    case DecodeRules::Start::kSentencePiece: {
      const bool marked = entry.text.starts_with(rules_.marker) && take_prefix(text, " ");
      out += text;
      state.at_start = text.empty() && (!marked || rules_.strip_all);
      return;
    }
    default:
      take_prefix(text, " ");
      out += text;
      state.at_start = false;
  }
}

}  // namespace tenfold::dataset
