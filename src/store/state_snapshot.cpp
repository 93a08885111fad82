#include "store/state_snapshot.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/error.hpp"
#include "store/checkpoint_layout.hpp"

namespace tenfold::store {

namespace {

/// Rows [first, first + rows) of a ring, from their slots into one stretch.
void gather(const StateField& field, std::size_t shard, std::uint64_t first, std::uint64_t rows,
            std::byte* to) {
  const auto* slots = static_cast<const std::byte*>(field.data(shard));
  const std::uint64_t bytes = row_bytes(field), capacity = capacity_rows(field);
  const std::uint64_t slot = first % capacity;
  const std::uint64_t head = std::min(rows, capacity - slot);
  std::memcpy(to, slots + slot * bytes, head * bytes);
  std::memcpy(to + head * bytes, slots, (rows - head) * bytes);
}

}  // namespace

void StateSnapshot::copy_field(const StateField& field, const std::vector<std::size_t>& mine,
                               const std::vector<std::uint64_t>* counts, Blocks* blocks) {
  static const std::vector<std::size_t> kReplicated = {0};
  const std::uint64_t row = row_bytes(field);
  for (const std::size_t shard :
       field.scope == Scope::kSharded ? held_shards(field, mine) : kReplicated) {
    Block& block = (*blocks)[shard];
    block.rows = rows_in_use(field, shard);
    block.written = field.written ? field.written(shard) : 0;
    block.held_from = 0;
    std::uint64_t copied = block.rows;
    if (counts != nullptr) {
      base::require(shard < counts->size() && counts->at(shard) <= block.written,
                    "state field '" + field.name + "' has lost rows since the last checkpoint");
      block.held_from = std::max(counts->at(shard), block.written - block.rows);
      copied = block.written - block.held_from;
    }
    const std::uint64_t bytes = copied * row;
    block.data.resize(bytes);
    if (bytes > 0 && counts != nullptr) {
      gather(field, shard, block.held_from, copied, block.data.data());
    } else if (bytes > 0) {
      std::memcpy(block.data.data(), field.data(shard), bytes);
    }
    bytes_ += bytes;
  }
}

StateField StateSnapshot::field_of(const StateField& field, bool newest_rows, Blocks* blocks) {
  StateField copied = field;
  copied.data = [blocks](std::size_t shard) -> void* { return blocks->at(shard).data.data(); };
  if (field.rows) {
    copied.rows = [blocks](std::size_t shard) { return blocks->at(shard).rows; };
  }
  if (field.written) {
    copied.written = [blocks](std::size_t shard) { return blocks->at(shard).written; };
  }
  if (newest_rows) {
    copied.held_from = [blocks](std::size_t shard) { return blocks->at(shard).held_from; };
  }
  return copied;
}

void StateSnapshot::take(const StateRegistry& registry, const std::vector<std::size_t>& mine,
                         const RingCounts* base) {
  registry.before_save();
  bytes_ = 0;
  copy_ = StateRegistry();
  copy_.set_increments(registry.increments());
  copy_.set_copies_count(registry.copies_count());
  storage_.resize(registry.fields().size());
  for (const auto& [key, value] : registry.identities()) copy_.identity(key, value);
  for (std::size_t i = 0; i < storage_.size(); ++i) {
    const StateField& field = registry.fields()[i];
    if (!storage_[i]) storage_[i] = std::make_unique<Blocks>();
    Blocks* const blocks = storage_[i].get();
    const auto* const counts = base != nullptr && field.written ? &base->at(field.name) : nullptr;
    try {
      copy_field(field, mine, counts, blocks);
    } catch (const std::bad_alloc&) {
      throw base::Error(base::Code::kIo,
                        fmt::format("no memory for a copy of '{}' to write from", field.name),
                        "Use --checkpoint-background false, or more nodes");
    }
    copy_.add(field_of(field, counts != nullptr, blocks));
  }
}

}  // namespace tenfold::store
