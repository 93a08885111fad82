// The commit protocol on one node's side: COMMIT.json, chains, retention. Internal to store; rank
// 0 (or a tool) calls these, none is collective.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "store/checkpoint_folder.hpp"
#include "store/checkpoint_store.hpp"

namespace tenfold::store {

std::string commit_text(const CommitRecord& record);
/// Throws Code::kData.
CommitRecord parse_commit(const std::string& text);
/// Parses the folder's record, without touching state.h5. Throws Code::kData (odd folder, symbolic
/// link, malformed record) or Code::kIo.
CommitRecord read_commit(const std::filesystem::path& step_folder);
/// read_commit, then size and SHA-256 of state.h5. What has more than most_bytes is not read: a
/// file with holes costs nothing to make and hours to digest.
CommitRecord verify_commit(const std::filesystem::path& step_folder,
                           std::uint64_t most_bytes = UINT64_MAX);
/// Throws Code::kData when state.h5 is not a plain file of that many bytes.
void require_size(const std::filesystem::path& step_folder, std::uint64_t bytes);

/// The records of what a checkpoint builds on, oldest first, and its own: verify_commit of each,
/// and that each is the one that the others mean. Throws as verify_commit; what is wrong with
/// another folder is said with its name.
std::vector<CommitRecord> verify_chain(const std::filesystem::path& step_folder,
                                       std::uint64_t most_bytes, VerifiedCommits* verified);
/// Whether these are still in the folder: by their records and sizes, without reading state.h5.
bool has_members(const std::filesystem::path& folder, const std::vector<CheckpointNeed>& members);

/// One checkpoint on its way, on rank 0.
class PendingCheckpoint {
 public:
  PendingCheckpoint(std::filesystem::path folder, std::uint64_t step);

  std::filesystem::path state_file() const { return partial_ / kStateFile; }
  const std::filesystem::path& final_path() const { return final_; }

  /// Removes leftovers of killed saves, checks free space, creates step-N.partial. Throws
  /// Code::kIo.
  void prepare(std::uint64_t needed_bytes);
  /// From fsync(state.h5) to the verified COMMIT.json; fills in bytes and sha256. Throws Code::kIo
  /// or Code::kData.
  void commit(CommitRecord* record);
  /// Undoes everything after a failure at any point; what was committed before stays. Never throws.
  void withdraw() noexcept;

 private:
  void move_into_place();

  std::filesystem::path folder_, partial_, final_, old_;
  bool moved_aside_ = false;
  bool in_place_ = false;
};

/// After the commit of step: removes what the policy does not keep, and leftovers. Later steps
/// belong to a future that this run left by resuming from an older checkpoint: they are renamed, so
/// that no loader takes them, and kept for their owner to delete (what they build on may go). What
/// a kept one builds on stays, and counts as kept only if a rule keeps it. Throws Code::kIo.
void prune_checkpoints(const std::filesystem::path& folder, std::uint64_t step,
                       const RetentionPolicy& retention);

}  // namespace tenfold::store
