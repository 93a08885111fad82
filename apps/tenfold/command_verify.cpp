#include <algorithm>
#include <cstdio>
#include <system_error>

#include "base/text.hpp"
#include "store/checkpoint_store.hpp"
#include "store/run_reader.hpp"
#include "tenfold/commands.hpp"
#include "tenfold/run_overview.hpp"

namespace tenfold::tool {

namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

void print_line(const char* verdict, const std::string& text) {
  std::printf("%-9s%s\n", verdict, base::printable(text).c_str());
}

/// ", on top of 3 from step 800 to 1200"; "" when it stands alone.
std::string builds_on(const store::CommitRecord& record) {
  if (record.needs.empty()) return "";
  if (record.needs.size() == 1) return fmt::format(", on top of step {}", record.needs[0].step);
  return fmt::format(", on top of {} from step {} to {}", record.needs.size(),
                     record.needs.front().step, record.needs.back().step);
}

/// One checkpoint with what it builds on; prints its line. Throws Code::kCheckpoint when it cannot
/// be used.
void verify_one(const fs::path& folder, store::VerifiedCommits* verified) {
  const store::CommitRecord record = store::verify_checkpoint_chain(folder, verified).back();
  print_line("ok", fmt::format("{}  step {}, {}, sha256 {:.12}..., {} {}, {} shards, {}{}",
                               folder.string(), record.step,
                               base::human_bytes(static_cast<double>(record.bytes)), record.sha256,
                               record.world_size, record.world_size == 1 ? "rank" : "ranks",
                               record.shards, record.created_utc, builds_on(record)));
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
  read_manifest_of(run);
  const auto series = store::read_metrics(run, &damaged);
  std::size_t rows = 0;
  for (const store::Series& each : series) rows += each.step.size();
  print_line("ok", fmt::format("{}  manifest; metrics: {} series, {} rows", run.string(),
                               series.size(), rows));
  for (const std::string& text : damaged) print_line("DAMAGED", text);
  std::size_t good = 0;
  std::vector<std::string> unusable;
  store::VerifiedCommits verified;
  for (const fs::path& folder : entries(run / "checkpoint")) {
    if (const std::string reason = ignored_because(folder); !reason.empty()) {
      print_line("ignored", fmt::format("{}  {}", folder.string(), reason));
      continue;
    }
    try {
      verify_one(folder, &verified);
      ++good;
    } catch (const Error& error) {
      print_line("UNUSABLE", error.message());
      unusable.push_back(folder.filename().string());
    }
  }
  if (!unusable.empty()) {
    throw Error(Code::kCheckpoint,
                fmt::format("{} of {} checkpoints cannot be used: {}", unusable.size(),
                            good + unusable.size(), base::join(unusable, ", ")),
                good > 0 ? "Resuming takes the newest good one" : "None is left to resume from");
  }
  if (!damaged.empty()) {
    throw Error(Code::kData,
                fmt::format("{} {} of metrics cannot be read", damaged.size(),
                            damaged.size() == 1 ? "file" : "files"),
                "Resuming does not need them; their rows are missing in reports");
  }
  std::printf("%zu %s\n", good,
              good == 0   ? "checkpoints: nothing to resume from"
              : good == 1 ? "checkpoint, good"
                          : "checkpoints, all good");
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
  try {
    store::VerifiedCommits verified;
    verify_one(path, &verified);
  } catch (const Error& error) {
    throw Error(error.code(), error.message(),
                "Resume from another: `tenfold verify RUN` checks all");
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
           "Reads every byte of checkpoints; manifest and metrics carry no digest and are read\n"
           "through. Exit code 6 when a checkpoint is damaged, 3 when manifest or metrics are.",
           {}},
          &run_verify};
}

}  // namespace tenfold::tool
