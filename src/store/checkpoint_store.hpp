// Checkpoints by the two-phase commit of docs/architecture.md: a folder without a valid COMMIT.json
// does not exist, nothing old is deleted before the new one is verified.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "store/ring_chain.hpp"
#include "store/state_registry.hpp"

namespace tenfold::store {

/// Which shards this rank owns: shard s belongs to rank s % world.
struct ShardMap {
  std::size_t shards = 1;
  std::vector<std::size_t> mine;
};

struct RetentionPolicy {
  std::int64_t keep_last = 2;
  std::int64_t keep_every = 0;  ///< also keep steps divisible by this; 0: none
  /// Also keep the one whose metadata best_key, a number, is best (the newest of equals); "": none.
  std::string best_key = {};
  bool best_is_largest = true;
};

struct SaveReport {
  std::uint64_t step = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;        ///< from the first byte to the verified commit
  double stall_seconds = 0;  ///< for which the caller stood still
  std::filesystem::path path;
};

struct LoadReport {
  std::uint64_t step = 0;
  std::filesystem::path path;
  int world_size = 0;                           ///< of the run that wrote it
  std::map<std::string, std::string> metadata;  ///< what save() was given
  std::vector<std::string> refused;             ///< newer ones, each with its reason
};

/// A commit record, as `tenfold verify` shows it.
struct CommitRecord {
  std::uint64_t step = 0;
  std::uint64_t bytes = 0;
  std::string sha256;
  int world_size = 0;
  std::uint64_t shards = 0;
  std::string created_utc;
  /// What holds the earlier rows of its rings, oldest first: a full one, then increments. Empty:
  /// everything is in its own state.h5.
  std::vector<CheckpointNeed> needs;
  std::map<std::string, std::string> metadata;
};

class CheckpointStore {
 public:
  /// folder is <run>/checkpoint. Not collective.
  CheckpointStore(comm::Communicator communicator, std::filesystem::path folder, ShardMap shards,
                  RetentionPolicy retention);

  /// Collective. Writes step-NNNNNNNNNNNN/ by the commit protocol, verifies it, prunes. Throws the
  /// same Error on all ranks: Code::kIo (full disk, no permission; the .partial folder is removed,
  /// older checkpoints stay). With StateRegistry::increments it builds, where it can, on those that
  /// this store has saved since it was made or has loaded.
  SaveReport save(std::uint64_t step, const StateRegistry& registry,
                  const std::map<std::string, std::string>& metadata);

  /// Collective. What a save of step with this registry would leave out of its rings, for a copy
  /// that holds only the rest (StateSnapshot): rows up to these counts are in earlier checkpoints.
  /// nullopt: it would be a full one (StateRegistry::increments is not set, or there is nothing to
  /// build on).
  std::optional<RingCounts> ring_base(std::uint64_t step, const StateRegistry& registry) const;

  /// Collective. The newest checkpoint that all ranks can read and verify; nullopt when the folder
  /// holds no committed checkpoint at all. Throws Code::kCheckpoint when there are some but none is
  /// usable (every reason listed), or when identities or shapes do not fit. Half-loads nothing that
  /// the caller could go on with: after a throw the state is undefined and the run must end.
  std::optional<LoadReport> load_newest(const StateRegistry& registry);

  /// Collective. One named checkpoint folder. Throws Code::kCheckpoint.
  LoadReport load(const std::filesystem::path& step_folder, const StateRegistry& registry);

  const std::filesystem::path& folder() const { return folder_; }

 private:
  bool extends_chain(std::uint64_t step, const StateRegistry& registry,
                     const StateLayout& layout) const;

  comm::Communicator communicator_;
  std::filesystem::path folder_;
  ShardMap shards_;
  RetentionPolicy retention_;
  std::uint64_t last_bytes_ = 0, last_increment_bytes_ = 0;
  RingChain chain_;
};

/// Committed steps in folder, newest first; entries whose COMMIT.json is missing or malformed are
/// left out. Not collective.
std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& folder);
/// Names in folder of checkpoints that were never committed: what a job was writing when it ended.
/// Not collective.
std::vector<std::string> interrupted_checkpoints(const std::filesystem::path& folder);
/// Parses COMMIT.json strictly and checks size and SHA-256 of state.h5, and the same of all that it
/// builds on. Throws Code::kCheckpoint naming file and reason. Not collective, needs no MPI.
CommitRecord verify_checkpoint(const std::filesystem::path& step_folder);
/// Checkpoints that were found whole, by folder: chains share members.
using VerifiedCommits = std::map<std::filesystem::path, CommitRecord>;
/// As verify_checkpoint; returns the records of the folders that hold its state:
/// CommitRecord::needs, then itself. What is in verified is not read again.
std::vector<CommitRecord> verify_checkpoint_chain(const std::filesystem::path& step_folder,
                                                  VerifiedCommits* verified);

}  // namespace tenfold::store
