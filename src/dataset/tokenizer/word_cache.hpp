// The ids of words seen before: a table of fixed size in which a new word replaces an old one.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace tenfold::dataset {

class WordCache {
 public:
  static constexpr std::size_t kLongest = 23;  ///< bytes of a word that is remembered
  static constexpr std::size_t kMostIds = 9;

  WordCache() : slots_(kSlots) {}

  /// The ids of the word, or nothing. The word has 1 to kLongest bytes.
  std::span<const std::int32_t> find(std::string_view word, std::uint64_t hash) const {
    const Slot& slot = slots_[hash % kSlots];
    if (slot.length != word.size() || std::memcmp(slot.word, word.data(), word.size()) != 0) {
      return {};
    }
    return {slot.ids, slot.count};
  }

  void put(std::string_view word, std::uint64_t hash, std::span<const std::int32_t> ids) {
    if (ids.empty() || ids.size() > kMostIds) return;
    Slot& slot = slots_[hash % kSlots];
    std::memcpy(slot.word, word.data(), word.size());
    slot.length = static_cast<std::uint8_t>(word.size());
    std::memcpy(slot.ids, ids.data(), ids.size_bytes());
    slot.count = static_cast<std::uint8_t>(ids.size());
  }

 private:
  static constexpr std::size_t kSlots = std::size_t{1} << 15;
  struct alignas(64) Slot {  // one cache line
    char word[kLongest];
    std::uint8_t length = 0;
    std::int32_t ids[kMostIds];
    std::uint8_t count = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace tenfold::dataset
