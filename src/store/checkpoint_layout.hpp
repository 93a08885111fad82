// What lies where in state.h5: agreed on by all ranks before a byte is written. Internal to store.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "comm/communicator.hpp"
#include "store/checkpoint_store.hpp"
#include "store/state_registry.hpp"

namespace tenfold::store {

/// One field with the sizes that all ranks agreed on.
struct FieldLayout {
  const StateField* field = nullptr;
  std::uint64_t row_bytes = 0;         ///< of one row of shape[0], or of the one value
  std::vector<std::uint64_t> rows;     ///< stored: per shard, or one entry for a replicated field
  std::vector<std::uint64_t> digests;  ///< xxh64 of the stored rows, indexed as rows
  std::vector<std::uint64_t> dims;     ///< of the data set; sharded: [shards, most rows, ...]
  /// Rings of a registry with increments: rows ever written, per shard. Empty: no matter.
  std::vector<std::uint64_t> written;
  std::vector<int> owner;  ///< sharded: rank per shard
  /// Increments: number of the first stored row, per shard. Empty: rows are stored by slot.
  std::vector<std::uint64_t> first;

  bool sharded() const { return field->scope == Scope::kSharded; }
  bool ring() const { return !written.empty(); }
  bool increment() const { return !first.empty(); }
  std::uint64_t bytes(std::size_t entry) const { return rows[entry] * row_bytes; }
  /// Bytes of the whole data set, unused rows included.
  std::uint64_t stored_bytes() const;
  /// How many stored rows from `row` on lie one behind the other in memory (a ring ends somewhere).
  std::uint64_t stretch(std::size_t entry, std::uint64_t row) const;
  /// Where a stored row of a shard that this rank owns begins in memory.
  const std::byte* row_data(std::size_t shard, std::uint64_t row) const;
};

struct StateLayout {
  std::vector<FieldLayout> fields;
  std::size_t shards = 0;  ///< of the run
  std::uint64_t bytes = 0;
};

/// Rows that a field has when all are in use; 1 for shape {}.
std::uint64_t capacity_rows(const StateField& field);
/// Rows in use of a shard (0 for replicated fields). Throws Code::kBug when there are more than the
/// capacity.
std::uint64_t rows_in_use(const StateField& field, std::size_t shard);
/// Throws Code::kBug on overflow.
std::uint64_t row_bytes(const StateField& field);

/// Collective. Throws Code::kBug when ranks registered different fields, or when a shard of a field
/// has no owner or two. Rings are laid out whole.
StateLayout plan_layout(const comm::Communicator& communicator, const StateRegistry& registry,
                        const ShardMap& shards);
/// Leaves out of every ring the rows up to before: what is left is stored in the order of numbers.
void keep_new_rows(const RingCounts& before, StateLayout* layout);
/// No state.h5 of this registry has more bytes: twice what all fields take at their full sizes, so
/// that a misfit of moderate size is still told by what differs, and 64 MiB.
std::uint64_t most_state_bytes(const StateRegistry& registry, std::size_t shards);

/// Collective. Fills in the digests from memory; warns when replicated state differs between the
/// ranks whose copies count.
void digest_state(const comm::Communicator& communicator, const ShardMap& shards, bool copies_count,
                  StateLayout* layout);

/// Rank 0 alone: creates the file with every data set, attribute and identity, writes replicated
/// state, and reserves the disk space of the rest. Throws Code::kIo.
void write_layout(const std::filesystem::path& file, std::uint64_t step, const StateLayout& layout,
                  const StateRegistry& registry);
/// Collective. Writes every shard from its owner, through the fault points ckpt.after_write and
/// ckpt.after_close. Throws the same Code::kIo on all ranks.
void write_shards(const comm::Communicator& communicator, const std::filesystem::path& file,
                  const StateLayout& layout);

}  // namespace tenfold::store
