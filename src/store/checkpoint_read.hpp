// Takes the fields of a registry out of verified files. Internal to store; nothing here is
// collective.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "store/checkpoint_store.hpp"
#include "store/h5_file.hpp"
#include "store/state_registry.hpp"

namespace tenfold::store {

/// Throws Code::kCheckpoint, which says that older checkpoints will not fit either; damage is kData
/// or kIo.
[[noreturn]] void misfit(const std::string& reason, std::string hint);

/// Reads one checkpoint: read_earlier of what it builds on, oldest first, then read_newest. Both
/// throw misfit, Code::kData or Code::kIo; memory is then undefined.
class StateReader {
 public:
  /// Reads the shards of this rank and, when root, replicated state.
  StateReader(const StateRegistry& registry, const ShardMap& shards, bool root)
      : registry_(registry), shards_(shards), root_(root) {}

  /// Rings alone, as they were after step.
  void read_earlier(const std::filesystem::path& file, std::uint64_t step) {
    read(file, step, false);
  }
  void read_newest(const std::filesystem::path& file, std::uint64_t step) {
    read(file, step, true);
  }

 private:
  /// A field as the file has it, checked against what this run registered.
  struct StoredField {
    const StateField* field = nullptr;
    Hid dataset;
    std::vector<std::uint64_t> dims, rows, digests;
    std::vector<std::uint64_t> first;  ///< increments: number of the first row, per shard
  };

  void read(const std::filesystem::path& file, std::uint64_t step, bool newest);
  StoredField open_field(hid_t file, const StateField& field) const;
  void open_rows(StoredField* stored) const;
  void follow(const StoredField& stored, bool newest);
  void read_entry(const StoredField& stored, std::size_t shard, std::size_t entry) const;

  const StateRegistry& registry_;
  const ShardMap& shards_;
  bool root_;
  bool any_ = false;    ///< whether a file was read before this one
  RingCounts written_;  ///< of rings that were read, when their files say it
};

}  // namespace tenfold::store
