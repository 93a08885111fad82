#include "nn/decoding/kv_blocks.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

// A handle is a slot's number and, above that, how often the slot was used before.
constexpr int kNumberWidth = 32;
constexpr std::int64_t kNumberBits = 0xFFFFFFFF;

void check_option(std::int64_t value, const char* name) {
  // Block numbers are 32 bits wide.
  if (value > 0 && value < INT32_MAX) return;
  throw base::Error(base::Code::kUsage, fmt::format("KV blocks: {} is {}", name, value),
                    "It must be at least 1 and below 2^31");
}

}  // namespace

KvBlocks::KvBlocks(const KvBlocksOptions& options) : options_(options) {
  check_option(options.block_tokens, "tokens of a block");
  check_option(options.blocks, "the number of blocks");
  check_option(options.longest, "the longest sequence");
  free_.resize(static_cast<std::size_t>(options.blocks));
  // Taken from the end: low numbers first.
  for (std::size_t i = 0; i < free_.size(); ++i) {
    free_[i] = static_cast<std::int32_t>(free_.size() - 1 - i);
  }
  references_.assign(free_.size(), 0);
  copies_.reserve(free_.size());
  least_free_ = options.blocks;
}

bool KvBlocks::alive(Sequence sequence) const {
  const auto id = static_cast<std::int64_t>(sequence);
  const auto number = static_cast<std::size_t>(id & kNumberBits);
  return id >= 0 && number < slots_.size() && slots_[number].used &&
         slots_[number].generation == static_cast<std::uint32_t>(id >> kNumberWidth);
}

std::size_t KvBlocks::slot_number(Sequence sequence) const {
  const auto id = static_cast<std::int64_t>(sequence);
  if (!alive(sequence)) {
    throw base::Error(base::Code::kBug, fmt::format("KV blocks: no sequence {}", id),
                      "It was released, or never made");
  }
  return static_cast<std::size_t>(id & kNumberBits);
}

void KvBlocks::check_fresh(const Slot& s, const char* what) const {
  if (!stale(s)) return;
  throw base::Error(base::Code::kBug,
                    fmt::format("{} of keys and values written under parameters {}, now {} are set",
                                what, s.version, version_),
                    "Release or drop stale sequences when parameters change");
}

std::int64_t KvBlocks::blocks_of(std::int64_t tokens) const {
  return (tokens + options_.block_tokens - 1) / options_.block_tokens;
}

bool KvBlocks::copies_last(const Slot& s) const {
  return s.length % options_.block_tokens != 0 &&
         references_[static_cast<std::size_t>(s.blocks.back())] > 1;
}

std::int32_t KvBlocks::take() {
  const std::int32_t block = free_.back();
  free_.pop_back();
  references_[static_cast<std::size_t>(block)] = 1;
  least_free_ = std::min(least_free_, free_blocks());
  return block;
}

void KvBlocks::drop(std::int32_t block) {
  if (--references_[static_cast<std::size_t>(block)] == 0) free_.push_back(block);
}

Sequence KvBlocks::create() {
  if (unused_.empty()) {
    unused_.push_back(slots_.size());
    unused_.reserve(slots_.capacity() + 1);
    slots_.emplace_back().blocks.reserve(static_cast<std::size_t>(blocks_of(options_.longest)));
  }
  const std::size_t number = unused_.back();
  unused_.pop_back();
  Slot& made = slots_[number];
  made.used = true;
  ++sequences_;
  return static_cast<Sequence>(static_cast<std::int64_t>(made.generation) << kNumberWidth |
                               static_cast<std::int64_t>(number));
}

Sequence KvBlocks::fork(Sequence parent, std::int64_t length) {
  const std::size_t from = slot_number(parent);
  check_fresh(slots_[from], "a fork");
  if (length < 0) length = slots_[from].length;
  base::require(length <= slots_[from].length, "KvBlocks::fork: longer than the parent");
  const Sequence child = create();
  Slot& made = slot(child);
  const Slot& s = slots_[from];
  made.blocks.assign(s.blocks.begin(), s.blocks.begin() + blocks_of(length));
  made.length = length;
  made.filled = std::min(s.filled, length);
  made.version = s.version;
  for (const std::int32_t block : made.blocks) ++references_[static_cast<std::size_t>(block)];
  return child;
}

std::int64_t KvBlocks::blocks_to_extend(Sequence sequence, std::int64_t count) const {
  const Slot& s = slot(sequence);
  if (count == 0) return 0;
  return blocks_of(s.length + count) - blocks_of(s.length) + (copies_last(s) ? 1 : 0);
}

Extension KvBlocks::extend(Sequence sequence, std::int64_t count) {
  base::require(count >= 0, "KvBlocks::extend: count is negative");
  Slot& s = slot(sequence);
  check_fresh(s, "an extension");
  if (s.length + count > options_.longest) return {Room::kTooLong, 0};
  const std::int64_t needed = blocks_to_extend(sequence, count);
  if (needed > free_blocks()) return {Room::kPoolFull, needed - free_blocks()};
  if (count > 0 && copies_last(s)) {
    const std::int32_t shared = s.blocks.back();
    s.blocks.back() = take();
    copies_.push_back({shared, s.blocks.back()});
    ++copies_made_;
    drop(shared);
  }
  s.length += count;
  while (static_cast<std::int64_t>(s.blocks.size()) < blocks_of(s.length)) {
    s.blocks.push_back(take());
  }
  return {};
}

void KvBlocks::truncate(Sequence sequence, std::int64_t length) {
  Slot& s = slot(sequence);
  base::require(length >= 0 && length <= s.length, "KvBlocks::truncate: not a shorter length");
  while (static_cast<std::int64_t>(s.blocks.size()) > blocks_of(length)) {
    drop(s.blocks.back());
    s.blocks.pop_back();
  }
  s.length = length;
  s.filled = std::min(s.filled, length);
}

void KvBlocks::release_slot(std::size_t number) {
  Slot& s = slots_[number];
  for (const std::int32_t block : s.blocks) drop(block);
  s.blocks.clear();
  s.length = s.filled = 0;
  s.used = false;
  // Handles stay positive.
  s.generation = (s.generation + 1) & 0x7FFFFFFF;
  unused_.push_back(number);
  --sequences_;
}

void KvBlocks::release(Sequence sequence) {
  release_slot(slot_number(sequence));
}

std::int64_t KvBlocks::length(Sequence sequence) const {
  return slot(sequence).length;
}

std::int64_t KvBlocks::filled(Sequence sequence) const {
  return slot(sequence).filled;
}

bool KvBlocks::stale(Sequence sequence) const {
  return stale(slot(sequence));
}

std::span<const std::int32_t> KvBlocks::table(Sequence sequence) const {
  return slot(sequence).blocks;
}

KvStatistics KvBlocks::statistics() const {
  KvStatistics result;
  result.blocks = options_.blocks;
  result.free = free_blocks();
  result.most_used = options_.blocks - least_free_;
  result.sequences = sequences_;
  for (const std::int32_t count : references_) result.references += count;
  result.copies = copies_made_;
  return result;
}

std::int64_t KvBlocks::drop_stale() {
  std::int64_t dropped = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].used || !stale(slots_[i])) continue;
    release_slot(i);
    ++dropped;
  }
  return dropped;
}

void KvBlocks::clear() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].used) release_slot(i);
  }
  copies_.clear();
}

std::int32_t KvBlocks::fill_next(Sequence sequence, std::int64_t position) {
  Slot& s = slot(sequence);
  check_fresh(s, "use");
  base::require(position == s.filled && position < s.length,
                "a row's position must be the first of its sequence that is not written yet");
  const std::int32_t block = s.blocks[static_cast<std::size_t>(position / options_.block_tokens)];
  base::require(references_[static_cast<std::size_t>(block)] == 1,
                "a row would be written into a block that other sequences share");
  s.version = version_;
  ++s.filled;
  return block;
}

}  // namespace tenfold::nn
