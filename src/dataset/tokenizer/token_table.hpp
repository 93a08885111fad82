// The tokens of a vocabulary, and what each stands for in text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tenfold::dataset {

/// How the beginning of a text, or of a line, differs from its middle. Everything else of decoding
/// is one byte string per token.
struct DecodeRules {
  enum class Start {
    kAsIs,
    kStripText,      ///< up to `strip` spaces are taken from the text (decoder Strip)
    kBareToken,      ///< the first token loses all its "▁" (decoder Metaspace)
    kSentencePiece,  ///< the first token loses one "▁"
    kWords,          ///< no space before the first word of the text or of a line
  };
  Start start = Start::kAsIs;
  int strip = 0;
  std::string strip_content = " ";  ///< kStripText: the character that is taken
  std::string marker = "\u2581";    ///< "▁"
  bool strip_all = false;           ///< kSentencePiece: every "▁" before the first text
};

/// Where in the text a decoder is.
struct DecodeState {
  bool at_start = true;
  int stripped = 0;
};

class TokenTable {
 public:
  /// Throws Code::kData when id or text is there already or id is negative or above a limit that
  /// holds memory down. `where` names the place of the file for the message.
  void add(std::int64_t id, std::string text, std::string_view where);
  /// Ids from here on are refused by add: twice the number of tokens and 65536 (padding happens).
  void expect(std::size_t tokens);
  bool has(std::int32_t id) const;
  std::optional<std::int32_t> find(std::string_view text) const;
  /// Throws Code::kData for an id without token.
  const std::string& text(std::int32_t id) const;
  std::int32_t size() const { return static_cast<std::int32_t>(entries_.size()); }
  bool is_special(std::int32_t id) const { return has(id) && entries_[id].special; }
  void set_special(std::int32_t id) { entries_.at(id).special = true; }

  /// The bytes that the token stands for in the middle of a text; its spelling unless set.
  void set_bytes(std::int32_t id, std::string bytes);
  const std::string& bytes(std::int32_t id) const;
  void set_rules(DecodeRules rules) { rules_ = std::move(rules); }

  /// Appends to out what the token adds to a text that is at `state`.
  void append_text(std::int32_t id, bool write_special, DecodeState& state, std::string& out) const;

 private:
  struct Entry {
    std::string text, bytes;
    bool present = false, special = false, own_bytes = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  void append_at_start(const Entry& entry, DecodeState& state, std::string& out) const;

  std::vector<Entry> entries_;
  std::int64_t limit_ = 65536;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
  DecodeRules rules_;
};

}  // namespace tenfold::dataset
