// Which node-local checkpoints are a run's own: <run>/checkpoint/local-id. Internal to store; none
// of these is collective.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace tenfold::store {

/// One line of history: every start that goes on from anything but a node-local checkpoint draws a
/// new one, so that nothing that an earlier start left on some node passes for this run's future.
struct LocalRecord {
  std::string id;             ///< 16 hex digits, random
  std::filesystem::path run;  ///< canonical path of <run>/checkpoint: a copied run is another run
  std::filesystem::path folder;  ///< --checkpoint-local of the start that wrote it

  /// Where that start kept them: <folder>/tenfold-<id>.
  std::filesystem::path tree() const { return folder / ("tenfold-" + id); }
};

/// nullopt when there is none. Throws Code::kData (malformed) or Code::kIo.
std::optional<LocalRecord> read_local_record(const std::filesystem::path& checkpoint_folder);
/// Draws an id and writes the record atomically. Throws Code::kIo.
LocalRecord write_local_record(const std::filesystem::path& checkpoint_folder,
                               const std::filesystem::path& folder);
/// Throws Code::kIo.
void remove_local_record(const std::filesystem::path& checkpoint_folder);

/// The path without links. Throws Code::kIo.
std::filesystem::path canonical_path(const std::filesystem::path& path);

}  // namespace tenfold::store
