// The commit protocol on one node's side: folders, COMMIT.json, retention. Internal to store; rank
// 0 (or a tool) calls these, none is collective.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/checkpoint_store.hpp"

namespace tenfold::store {

inline constexpr const char* kStateFile = "state.h5";
inline constexpr const char* kCommitFile = "COMMIT.json";

/// "step-000000012000".
std::string step_name(std::uint64_t step);
/// The step of a folder that a loader may use ("step-...", or "step-....old" which stands in for it
/// while it is being replaced); nothing for other names.
std::optional<std::uint64_t> step_of_name(const std::string& name);

std::string commit_text(const CommitRecord& record);
/// Throws Code::kData.
CommitRecord parse_commit(const std::string& text);
/// Parses the folder's record, without touching state.h5. Throws Code::kData (odd folder, symbolic
/// link, malformed record) or Code::kIo.
CommitRecord read_commit(const std::filesystem::path& step_folder);
/// read_commit, then size and SHA-256 of state.h5.
CommitRecord verify_commit(const std::filesystem::path& step_folder);
/// Throws Code::kData when state.h5 is not a plain file of that many bytes.
void require_size(const std::filesystem::path& step_folder, std::uint64_t bytes);

/// Every entry that claims to be a committed checkpoint, usable or not: oddly named ones first,
/// then newest first.
std::vector<std::filesystem::path> commit_candidates(const std::filesystem::path& folder);

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
/// that no loader takes them, and kept for their owner to delete. Throws Code::kIo.
void prune_checkpoints(const std::filesystem::path& folder, std::uint64_t step,
                       const RetentionPolicy& retention);

}  // namespace tenfold::store
