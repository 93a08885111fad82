// What a path on the command line is: a run, a checkpoint or a single file.
#pragma once

#include <filesystem>

namespace tenfold::tool {

struct Target {
  enum class Kind { kRun, kCheckpoint, kFile } kind = Kind::kRun;
  std::filesystem::path path;  ///< the run's folder, the checkpoint's folder, or the file
};

/// state.h5 inside of a committed checkpoint is that checkpoint. Throws Code::kData when the path
/// does not exist or is none of the three.
Target find_target(const std::filesystem::path& path);

/// The newest committed checkpoint of a run; empty when it has none.
std::filesystem::path newest_checkpoint(const std::filesystem::path& run);

}  // namespace tenfold::tool
