// A copy of a run's state on the host, so that the run can go on while the copy is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "store/state_registry.hpp"

namespace tenfold::store {

class StateSnapshot {
 public:
  /// Copies the rows in use of every field: replicated state, and the shards in mine (those that
  /// this rank owns). Runs the registry's save hooks first. Memory of an earlier take is used
  /// again. Not collective. Throws Code::kIo when there is no memory for it.
  void take(const StateRegistry& registry, std::span<const std::size_t> mine);

  /// The same fields and identities, backed by the copy; valid until the next take.
  const StateRegistry& registry() const { return copy_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Block {
    std::vector<std::byte> data;
    std::uint64_t rows = 0;
  };
  using Blocks = std::map<std::size_t, Block>;  ///< by shard; 0 for replicated fields

  void copy_field(const StateField& field, std::span<const std::size_t> mine, Blocks* blocks);

  std::vector<std::unique_ptr<Blocks>> storage_;  ///< per field; addresses stay
  StateRegistry copy_;
  std::uint64_t bytes_ = 0;
};

}  // namespace tenfold::store
