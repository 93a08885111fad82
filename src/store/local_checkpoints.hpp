// The second level of checkpoints: every rank's own part of the state, on storage of its node. Fast
// and often; it survives the job, not the node (docs/architecture.md, "Checkpoints").
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "store/checkpoint_store.hpp"
#include "store/state_registry.hpp"

namespace tenfold::store {

/// What the nodes hold that is newer than the shared level; equal on all ranks.
struct LocalOffer {
  std::vector<std::uint64_t> steps;  ///< newest first: every rank holds its part
  std::string missing;               ///< why the newest, or all, are not among them; "": no more
  bool lost = false;                 ///< missing tells of parts that are not where they should be
};

/// Parts lie in FOLDER/tenfold-<id>/rank-R-of-W/step-N, written by the commit protocol of
/// CheckpointStore on this rank alone. The id is drawn anew by every start that goes on from
/// anything else than a node-local checkpoint (local_record.hpp); a part also names the newest
/// shared checkpoint of its time and counts only while that is the newest one.
class LocalCheckpoints {
 public:
  /// Collective. folder: --checkpoint-local, may differ between nodes in content but not in name;
  /// shared_folder: <run>/checkpoint. Throws Code::kIo.
  LocalCheckpoints(const comm::Communicator& world, const std::filesystem::path& folder,
                   std::filesystem::path shared_folder, ShardMap shards);

  /// Collective. Looks at names and commit records only.
  LocalOffer offer();
  /// Collective. Reads this step's parts and compares their digests and whose they are; changes no
  /// state. Throws an AgreedError that says on which rank and why.
  void verify(std::uint64_t step) const;
  /// Collective, after verify. Throws an AgreedError, after which the state is undefined.
  LoadReport load(std::uint64_t step, const StateRegistry& registry);

  /// Collective. The run goes on from this node-local step: later ones are removed.
  void go_on_from(std::uint64_t step);
  /// Collective. The run goes on from elsewhere: a new id; parts of the old one are removed on the
  /// nodes of this job, and never used if they lie on others. Throws Code::kIo.
  void start_anew();

  /// Not collective: this rank's part. Throws Code::kIo.
  SaveReport save(std::uint64_t step, const StateRegistry& registry,
                  std::map<std::string, std::string> metadata);
  /// Not collective. Another rank could not write its part of step: this rank's goes, so that the
  /// two that are kept are those that all ranks have.
  void withdraw(std::uint64_t step) noexcept;
  /// Not collective. A newer shared checkpoint is committed: this rank's parts go.
  void superseded() noexcept;
  /// Collective. The shared checkpoint in this folder is the newest from now on.
  void rebase(const std::filesystem::path& shared_step);
  /// Collective. The run is done: removes all parts and the id. Failures are warnings.
  void finish();

  /// FOLDER/tenfold-<id>.
  const std::filesystem::path& tree() const { return tree_; }

 private:
  std::filesystem::path own_folder() const;
  std::map<std::string, std::string> marks() const;
  void read_record();
  void open_store();
  std::string own_report() const;

  comm::Communicator world_, node_, self_;
  std::filesystem::path folder_, shared_folder_;
  ShardMap shards_;
  std::filesystem::path tree_;      ///< empty: there is no usable record yet
  std::filesystem::path old_tree_;  ///< what start_anew removes
  std::string id_;
  std::string note_;                          ///< why there is no usable record
  std::string newest_shared_;                 ///< "step-N SHA-256 of its COMMIT.json", or "none"
  std::optional<std::uint64_t> shared_step_;  ///< its step
  std::optional<CheckpointStore> store_;
};

/// Collective. For a start without a node-local level: the run's history leaves the parts that
/// earlier starts wrote, so they are removed, and the id with them. Throws Code::kIo.
void abandon_local_checkpoints(const comm::Communicator& world,
                               const std::filesystem::path& shared_folder);

}  // namespace tenfold::store
