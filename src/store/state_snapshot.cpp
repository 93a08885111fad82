#include "store/state_snapshot.hpp"

#include <cstring>
#include <new>

#include "base/error.hpp"
#include "store/checkpoint_layout.hpp"

namespace tenfold::store {

void StateSnapshot::copy_field(const StateField& field, std::span<const std::size_t> mine,
                               Blocks* blocks) {
  static constexpr std::size_t kReplicated[] = {0};
  const std::uint64_t row = row_bytes(field);
  for (const std::size_t shard : field.scope == Scope::kSharded ? mine : kReplicated) {
    Block& block = (*blocks)[shard];
    block.rows = rows_in_use(field, shard);
    const std::uint64_t bytes = block.rows * row;
    block.data.resize(bytes);
    if (bytes > 0) std::memcpy(block.data.data(), field.data(shard), bytes);
    bytes_ += bytes;
  }
}

void StateSnapshot::take(const StateRegistry& registry, std::span<const std::size_t> mine) {
  registry.before_save();
  bytes_ = 0;
  copy_ = StateRegistry();
  storage_.resize(registry.fields().size());
  for (const auto& [key, value] : registry.identities()) copy_.identity(key, value);
  for (std::size_t i = 0; i < storage_.size(); ++i) {
    const StateField& field = registry.fields()[i];
    if (!storage_[i]) storage_[i] = std::make_unique<Blocks>();
    Blocks* const blocks = storage_[i].get();
    try {
      copy_field(field, mine, blocks);
    } catch (const std::bad_alloc&) {
      throw base::Error(base::Code::kIo,
                        fmt::format("no memory for a copy of '{}' to write from", field.name),
                        "Use --checkpoint-background false, or more nodes");
    }
    StateField copied = field;
    copied.data = [blocks](std::size_t shard) -> void* { return blocks->at(shard).data.data(); };
    if (field.rows) {
      copied.rows = [blocks](std::size_t shard) { return blocks->at(shard).rows; };
    }
    copy_.add(std::move(copied));
  }
}

}  // namespace tenfold::store
