// Text to token ids and back. Files of Hugging Face (tokenizer.json: BPE, WordLevel), models of
// SentencePiece (tokenizer.model), and small built-in tokenizers that are written as
// tokenizer.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataset/tokenizer/token_table.hpp"

namespace tenfold::dataset {

/// What special tokens are. kIgnore: encode takes text that spells one as ordinary text, decode
/// leaves them out. kUse: encode recognises them, decode writes them.
enum class Specials { kIgnore, kUse };

struct EncodeOptions {
  Specials specials = Specials::kIgnore;
  /// The text goes on another one: no space is put before it, where the tokenizer would.
  bool continuation = false;
};

/// A file that belongs to a tokenizer: its name and content.
using TokenizerFile = std::pair<std::string, std::string>;

/// Bos, eos and unknown token; those that end a text (eos first, then others that
/// generation_config.json names).
struct TokenRoles {
  std::optional<std::int32_t> bos, eos, unknown;
  std::vector<std::int32_t> ends;
};

/// Ids are 0 .. vocabulary_size() - 1; some may belong to no token. encode of one object is for
/// one thread at a time (it remembers words).
///
/// Text that is not UTF-8: byte-level and byte tokenizers take its bytes as they are, all others
/// see U+FFFD where Python's bytes.decode(errors="replace") puts one. decode gives the bytes that
/// the ids stand for: UTF-8 if they came from UTF-8 (Hugging Face writes U+FFFD for the others; see
/// valid_utf8).
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// No bos is put before, no eos after. Throws Code::kData for text that has no ids (a character
  /// or word that is not in the vocabulary of a tokenizer without unknown token).
  std::vector<std::int32_t> encode(std::string_view text, EncodeOptions options = {}) const;
  /// encode, appended to ids.
  virtual void append_ids(std::string_view text, EncodeOptions options,
                          std::vector<std::int32_t>& ids) const = 0;

  /// Throws Code::kData for an id that belongs to no token.
  std::string decode(std::span<const std::int32_t> ids,
                     Specials specials = Specials::kIgnore) const;
  /// The text that ids add to that of before: a leading space is kept.
  std::string decode_after(std::span<const std::int32_t> before, std::span<const std::int32_t> ids,
                           Specials specials = Specials::kIgnore) const;

  /// The token as the vocabulary spells it, e.g. "Ġthe". Throws Code::kData as decode.
  const std::string& token_text(std::int32_t id) const { return table_.text(id); }
  std::optional<std::int32_t> token_id(std::string_view text) const { return table_.find(text); }
  bool is_special(std::int32_t id) const { return table_.is_special(id); }
  /// Largest id + 1.
  std::int32_t vocabulary_size() const { return table_.size(); }

  std::optional<std::int32_t> bos() const { return roles_.bos; }
  std::optional<std::int32_t> eos() const { return roles_.eos; }
  std::optional<std::int32_t> unknown() const { return roles_.unknown; }
  /// Tokens that end a text: eos, and others that generation_config.json names. May be empty.
  const std::vector<std::int32_t>& end_tokens() const { return roles_.ends; }

  /// Writes the files that this tokenizer was read from, byte for byte, or tokenizer.json and
  /// tokenizer_config.json of a built-in one. Throws Code::kIo.
  void save(const std::filesystem::path& directory) const;

 protected:
  Tokenizer() = default;

  TokenTable table_;
  TokenRoles roles_;
  std::vector<TokenizerFile> files_;

 private:
  friend class Detokenizer;
  friend class TokenizerLoader;
};

/// Text from ids that come one after the other.
/// All increments and flush() together are decode(ids), or decode_after(before, ids).
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer, Specials specials = Specials::kIgnore);
  /// Goes on after the ids of before.
  Detokenizer(const Tokenizer& tokenizer, std::span<const std::int32_t> before,
              Specials specials = Specials::kIgnore);

  /// The text that became complete with this id: whole UTF-8 characters; bytes that no further
  /// byte can make one are given as they are. Throws Code::kData as decode.
  std::string push(std::int32_t id);
  /// What is left at the end: the first bytes of a character without the others.
  std::string flush();

 private:
  const Tokenizer* tokenizer_;
  Specials specials_;
  DecodeState state_;
  std::string held_;
};

/// The tokenizer of a model directory: tokenizer.json if there is one, else tokenizer.model; roles
/// of tokens from tokenizer_config.json, special_tokens_map.json, generation_config.json and
/// config.json. Throws Code::kIo when there is none (listing what was found), Code::kData naming
/// file and field of what is wrong or not supported.
std::unique_ptr<Tokenizer> load_tokenizer(const std::string& directory);

/// Special tokens of a built-in tokenizer. They come first (byte tokenizer: last), in this order:
/// unknown, bos, eos, others.
struct SpecialTokens {
  std::optional<std::string> unknown = {}, bos = {}, eos = {};
  std::vector<std::string> others = {};
};

/// Words separated by single spaces and newlines; a newline is a token (always in the vocabulary),
/// a space is none. decode(encode(text)) == text, or encode throws Code::kData: an unknown word, or
/// a space beside a newline, another space, or the text's begin or end (a continuation may begin
/// with one). With specials.unknown set, encode does what Hugging Face does instead: unknown words
/// become that token, needless spaces are dropped.
std::unique_ptr<Tokenizer> make_word_tokenizer(std::span<const std::string> words,
                                               const SpecialTokens& specials);

/// One token for each of the given characters (each one UTF-8 character).
std::unique_ptr<Tokenizer> make_char_tokenizer(std::span<const std::string> characters,
                                               const SpecialTokens& specials);

/// Token b is byte b, 0 to 255; special tokens from 256 on (specials.unknown has no use here and
/// must be unset). Any text round-trips.
std::unique_ptr<Tokenizer> make_byte_tokenizer(const SpecialTokens& specials);

}  // namespace tenfold::dataset
