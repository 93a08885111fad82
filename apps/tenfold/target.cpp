#include "tenfold/target.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/checkpoint_store.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;

Target find_target(const fs::path& path) {
  using Kind = Target::Kind;
  const char* const kinds = "Name a run, a checkpoint (RUN/checkpoint/step-...) or an HDF5 file";
  const fs::path plain = path.has_filename() ? path : path.parent_path();
  std::error_code ignored;
  if (!fs::exists(plain, ignored)) {
    throw base::Error(base::Code::kData, fmt::format("{} does not exist", plain.string()), kinds);
  }
  if (fs::is_regular_file(plain, ignored)) {
    const fs::path folder = plain.parent_path();
    const bool committed = plain.filename() == "state.h5" && !folder.empty() &&
                           fs::exists(folder / "COMMIT.json", ignored);
    return committed ? Target{Kind::kCheckpoint, folder} : Target{Kind::kFile, plain};
  }
  if (fs::exists(plain / "manifest.h5", ignored)) return {Kind::kRun, plain};
  if (fs::exists(plain / "COMMIT.json", ignored) ||
      plain.filename().string().starts_with("step-")) {
    return {Kind::kCheckpoint, plain};
  }
  throw base::Error(base::Code::kData,
                    fmt::format("{} is neither a run (no manifest.h5) nor a checkpoint (no "
                                "COMMIT.json)",
                                plain.string()),
                    kinds);
}

fs::path newest_checkpoint(const fs::path& run) {
  const auto folders = store::list_checkpoints(run / "checkpoint");
  return folders.empty() ? fs::path() : folders.front();
}

}  // namespace tenfold::tool
