// A copy of a run's state on the host, so that the run can go on while the copy is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "store/ring_chain.hpp"
#include "store/state_registry.hpp"

namespace tenfold::store {

class StateSnapshot {
 public:
  /// Copies the rows in use of every field: replicated state, and the shards in mine (those that
  /// this rank owns). Runs the registry's save hooks first. Memory of an earlier take is used
  /// again. Not collective. Throws Code::kIo when there is no memory for it.
  /// base (CheckpointStore::ring_base): of rings only the rows after these counts are copied; then
  /// the copy is good for a checkpoint that builds on others, and for nothing else.
  void take(const StateRegistry& registry, const std::vector<std::size_t>& mine,
            const RingCounts* base = nullptr);

  /// The same fields and identities, backed by the copy; valid until the next take.
  const StateRegistry& registry() const { return copy_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Block {
    std::vector<std::byte> data;
    std::uint64_t rows = 0;       ///< in use
    std::uint64_t written = 0;    ///< rings
    std::uint64_t held_from = 0;  ///< rings of which only the newest rows are copied
  };
  using Blocks = std::map<std::size_t, Block>;  ///< by shard; 0 for replicated fields

  /// counts: of this ring in base; null: the rows in use are copied as they lie.
  void copy_field(const StateField& field, const std::vector<std::size_t>& mine,
                  const std::vector<std::uint64_t>* counts, Blocks* blocks);
  static StateField field_of(const StateField& field, bool newest_rows, Blocks* blocks);

  std::vector<std::unique_ptr<Blocks>> storage_;  ///< per field; addresses stay
  StateRegistry copy_;
  std::uint64_t bytes_ = 0;
};

}  // namespace tenfold::store
