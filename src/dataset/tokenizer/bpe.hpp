// Byte-pair encoding: a word's symbols are merged, the pair of lowest rank first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dataset/tokenizer/json_node.hpp"
#include "dataset/tokenizer/token_table.hpp"
#include "dataset/tokenizer/word_cache.hpp"

namespace tenfold::dataset {

/// The merges, by pair of tokens. Open addressing, at most half full.
class MergeTable {
 public:
  struct Merge {
    std::int32_t rank = -1;  ///< -1: no such merge
    std::int32_t token = -1;
  };
  explicit MergeTable(std::size_t merges = 0);
  /// A pair given again takes the new rank.
  void put(std::int32_t left, std::int32_t right, Merge merge);
  Merge find(std::int32_t left, std::int32_t right) const {
    const std::uint64_t pair = key(left, right);
    for (std::size_t at = place(pair);; ++at) {
      const Entry& entry = entries_[at & mask_];
      if (entry.key == pair) return entry.merge;
      if (entry.merge.rank < 0) return {};
    }
  }
  bool empty() const { return count_ == 0; }

 private:
  struct Entry {
    std::uint64_t key = 0;
    Merge merge;
  };
  static std::uint64_t key(std::int32_t left, std::int32_t right) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U) |
           static_cast<std::uint32_t>(right);
  }
  std::size_t place(std::uint64_t pair) const {
    return static_cast<std::size_t>((pair * 0x9E3779B97F4A7C15U) >> shift_);
  }
  std::vector<Entry> entries_;
  std::size_t mask_ = 0, count_ = 0;
  unsigned shift_ = 0;
};

class BpeModel {
 public:
  /// From the member "model"; table holds its vocabulary and nothing else yet. bytes: words are
  /// bytes that the vocabulary spells in the byte-level alphabet. Throws Code::kData.
  BpeModel(const JsonNode& model, const TokenTable& table, bool bytes);

  /// Appends the ids of a word, not empty. Throws Code::kData for a character without token where
  /// there is no unknown token.
  void append_word(std::string_view word, std::vector<std::int32_t>& ids) const;

  std::optional<std::int32_t> unknown() const { return unknown_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  void read_options(const JsonNode& model, const TokenTable& table);
  void read_merges(const JsonNode& merges, const TokenTable& table);
  void read_symbols(const TokenTable& table);
  void find_marker(const TokenTable& table);

  void append_piece(std::string_view word, std::vector<std::int32_t>& ids) const;
  template <class Cache>
  void append_cached(std::string_view word, std::uint64_t hash, Cache& cache,
                     std::vector<std::int32_t>& ids) const;
  void append_uncached(std::string_view word, std::vector<std::int32_t>& ids) const;
  void append_symbols(std::string_view word, std::vector<std::int32_t>& ids) const;
  [[noreturn]] void refuse_symbol(std::string_view symbol) const;

  bool bytes_, byte_fallback_ = false, fuse_unknown_ = false, ignore_merges_ = false;
  std::optional<std::int32_t> unknown_;
  MergeTable merges_;
  std::vector<std::int32_t> byte_tokens_;  // byte-level: its token; else: "<0xNN>"; -1: none
  bool all_bytes_ = false;                 // none is missing
  std::vector<std::int32_t> characters_;   // by code point; -1: none
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> whole_;  // ignore_merges
  std::string marker_;  // words may be cut before it; empty: no
  mutable ShortWordCache short_words_;
  mutable LongWordCache long_words_;
};

/// Merges the symbols from `begin` on, in place, until no pair has a merge: the pair of lowest rank
/// first, of equal ones the leftmost. n log n.
void merge_symbols(const MergeTable& merges, std::vector<std::int32_t>& symbols, std::size_t begin);

}  // namespace tenfold::dataset
