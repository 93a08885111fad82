#include <algorithm>
#include <cstdio>
#include <system_error>

#include "base/text.hpp"
#include "store/checkpoint_store.hpp"
#include "store/run_reader.hpp"
#include "tenfold/commands.hpp"

namespace tenfold::tool {

namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

/// One checkpoint; prints its line. The message of what is wrong, "" when nothing is.
std::string verify_one(const fs::path& folder) {
  try {
    const store::CommitRecord record = store::verify_checkpoint(folder);
    std::printf("ok       %s  step %llu, %s, sha256 %.12s..., %d ranks, %llu shards, %s\n",
                folder.string().c_str(), static_cast<unsigned long long>(record.step),
                base::human_bytes(static_cast<double>(record.bytes)).c_str(), record.sha256.c_str(),
                record.world_size, static_cast<unsigned long long>(record.shards),
                record.created_utc.c_str());
    return "";
  } catch (const Error& error) {
    std::printf("UNUSABLE %s\n", error.message().c_str());
    return error.message();
  }
}

/// Folders of a run's checkpoint/, in order of name.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    found.push_back(it->path());
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    throw Error(Code::kIo, fmt::format("cannot list {}: {}", folder.string(), failure.message()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Why a loader never looks at this folder; "" when it does.
std::string ignored_because(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (name.ends_with(".partial")) return "not finished";
  if (name.find(".superseded-") != std::string::npos) return "superseded";
  std::error_code failure;
  if (!fs::exists(fs::symlink_status(folder / "COMMIT.json", failure))) return "not committed";
  return "";
}

Code verify_run(const fs::path& run) {
  std::vector<std::string> damaged;
  store::read_manifest(run);
  const auto series = store::read_metrics(run, &damaged);
  std::size_t rows = 0;
  for (const store::Series& each : series) rows += each.step.size();
  std::printf("ok       %s  manifest; metrics: %zu series, %zu rows\n", run.string().c_str(),
              series.size(), rows);
  for (const std::string& text : damaged) std::printf("DAMAGED  %s\n", text.c_str());
  std::size_t good = 0;
  std::vector<std::string> unusable;
  for (const fs::path& folder : entries(run / "checkpoint")) {
    if (const std::string reason = ignored_because(folder); !reason.empty()) {
      std::printf("ignored  %s  %s\n", folder.string().c_str(), reason.c_str());
      continue;
    }
    const std::string problem = verify_one(folder);
    if (problem.empty()) {
      ++good;
    } else {
      unusable.push_back(problem);
    }
  }
  std::fflush(stdout);
  if (!unusable.empty()) {
    throw Error(Code::kCheckpoint,
                fmt::format("{} of {} checkpoints cannot be used: {}", unusable.size(),
                            good + unusable.size(), base::join(unusable, "; ")),
                good > 0 ? "Resuming takes the newest good one" : "None is left to resume from");
  }
  if (!damaged.empty()) {
    throw Error(Code::kData, base::join(damaged, "; "),
                "The other segments and checkpoints are fine");
  }
  std::printf("%zu checkpoints, all good\n", good);
  return Code::kOk;
}

base::Code run_verify(const Arguments& arguments) {
  fs::path path = arguments.operands.front();
  if (!path.has_filename()) path = path.parent_path();
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw Error(Code::kData, fmt::format("{} does not exist", path.string()),
                "Name a run, or a folder checkpoint/step-...");
  }
  if (fs::exists(path / "manifest.h5", ignored)) return verify_run(path);
  if (!fs::exists(path / "COMMIT.json", ignored) &&
      !path.filename().string().starts_with("step-")) {
    throw Error(
        Code::kData,
        fmt::format("{} is neither a run (no manifest.h5) nor a checkpoint (no COMMIT.json)",
                    path.string()),
        "Name a run, or a folder checkpoint/step-...");
  }
  if (const std::string problem = verify_one(path); !problem.empty()) {
    throw Error(Code::kCheckpoint, problem, "Resume from another: `tenfold verify RUN` checks all");
  }
  return Code::kOk;
}

}  // namespace

Command verify_command() {
  return {{"verify",
           "RUN|CHECKPOINT",
           1,
           1,
           "check checkpoints against their recorded digests",
           "Reads every byte. Exit code 6 when a checkpoint is damaged, 3 when metrics are.",
           {}},
          &run_verify};
}

}  // namespace tenfold::tool
