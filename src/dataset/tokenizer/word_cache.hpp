// The ids of words seen before: a table of fixed size in which a new word replaces an old one.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace tenfold::dataset {

/// Words of at most Longest bytes and MostIds ids, both below 256.
template <std::size_t Longest, std::size_t MostIds, std::size_t Slots>
class WordCache {
 public:
  static constexpr std::size_t kLongest = Longest;

  WordCache() : slots_(Slots) {}

  /// The ids of the word, or nothing. The word has 1 to kLongest bytes.
  std::span<const std::int32_t> find(std::string_view word, std::uint64_t hash) const {
    const Slot& slot = slots_[hash % Slots];
    if (slot.length != word.size() || std::memcmp(slot.word, word.data(), word.size()) != 0) {
      return {};
    }
    return {slot.ids, slot.count};
  }

  void put(std::string_view word, std::uint64_t hash, std::span<const std::int32_t> ids) {
    if (ids.empty() || ids.size() > MostIds) return;
    Slot& slot = slots_[hash % Slots];
    std::memcpy(slot.word, word.data(), word.size());
    slot.length = static_cast<std::uint8_t>(word.size());
    std::memcpy(slot.ids, ids.data(), ids.size_bytes());
    slot.count = static_cast<std::uint8_t>(ids.size());
  }

 private:
  static_assert(Longest < 256 && MostIds < 256);
  struct alignas(64) Slot {
    char word[Longest];
    std::uint8_t length = 0;
    std::int32_t ids[MostIds];
    std::uint8_t count = 0;
  };
  std::vector<Slot> slots_;
};

/// A slot of the first is one cache line.
using ShortWordCache = WordCache<23, 9, std::size_t{1} << 15>;
using LongWordCache = WordCache<87, 24, std::size_t{1} << 14>;

}  // namespace tenfold::dataset
