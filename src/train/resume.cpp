#include "train/resume.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "train/replica_check.hpp"

namespace tenfold::train {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

void warn_of_differences(const std::string& stored, const std::string& present) {
  const auto then = nlohmann::json::parse(stored, nullptr, false);
  const auto now = nlohmann::json::parse(present, nullptr, false);
  if (!then.is_object() || !now.is_object()) return;
  for (const auto& [key, value] : now.items()) {
    const auto old = then.find(key);
    if (old == then.end() || *old != value) {
      base::log_warning("resumed with another {}: the checkpoint was made with {}, this run has {}",
                        key, old == then.end() ? "no such option" : old->dump(), value.dump());
    }
  }
}

// A step folder, or the newest step of a checkpoint folder or a run.
fs::path find_step_folder(const std::string& how) {
  fs::path path(how);
  if (fs::exists(path / "COMMIT.json")) return path;
  for (const fs::path& folder : {path, path / "checkpoint"}) {
    if (const auto steps = store::list_checkpoints(folder); !steps.empty()) return steps.front();
  }
  throw Error(Code::kCheckpoint, fmt::format("--resume {}: no committed checkpoint there", how),
              "Give a run directory or one of its checkpoint/step-* folders");
}

StartPoint started_from(const comm::Communicator& communicator, const store::LoadReport& report,
                        const std::string& config) {
  if (communicator.is_root()) {
    for (const std::string& reason : report.refused) {
      base::log_warning("checkpoint passed over: {}", reason);
    }
    if (const auto stored = report.metadata.find("config"); stored != report.metadata.end()) {
      warn_of_differences(stored->second, config);
    }
  }
  return {report.step, true,
          fmt::format("{} (written by {} {})", report.path.string(), report.world_size,
                      report.world_size == 1 ? "rank" : "ranks")};
}

// Nothing is lost that had been there, but who saw it being written wants to know.
void note_interrupted(const comm::Communicator& communicator, const fs::path& folder) {
  communicator.agree([&] {
    if (!communicator.is_root()) return;
    for (const std::string& name : store::interrupted_checkpoints(folder)) {
      base::log_info("checkpoint passed over: {} was left incomplete when the job ended",
                     base::printable(name));
    }
  });
}

void pass_over(const comm::Communicator& communicator, const comm::AgreedError& error) {
  if (!communicator.is_root()) return;
  base::log_warning("node-local checkpoint passed over: {} (rank {} on {})", error.message(),
                    error.rank(), error.host());
}

// undefined: some rank's state was overwritten and nothing good was put in its place.
std::optional<StartPoint> from_local(const comm::Communicator& communicator,
                                     store::LocalCheckpoints& local,
                                     const store::StateRegistry& registry,
                                     const std::string& config, bool* undefined) {
  const store::LocalOffer offer = local.offer();
  if (!offer.missing.empty() && communicator.is_root()) {
    const std::string next = offer.steps.empty() ? "the shared level" : "an older step";
    base::log_line(offer.lost ? base::LogLevel::kWarning : base::LogLevel::kInfo,
                   fmt::format("node-local checkpoints: {}; using {}", offer.missing, next));
  }
  for (const std::uint64_t step : offer.steps) {
    try {
      local.verify(step);
      *undefined = true;
      const store::LoadReport report = local.load(step, registry);
      check_replicas(communicator, registry);
      *undefined = false;
      StartPoint start = started_from(communicator, report, config);
      start.description =
          fmt::format("node-local {} in {} ({} ranks, each its own part)",
                      report.path.filename().string(), local.tree().string(), report.world_size);
      return start;
    } catch (const comm::AgreedError& error) {
      pass_over(communicator, error);
    }
  }
  return std::nullopt;
}

StartPoint from_shared(const comm::Communicator& communicator, store::CheckpointStore& checkpoints,
                       const store::StateRegistry& registry, const std::string& how,
                       const std::string& config, bool undefined) {
  if (how == "none") {
    communicator.agree([&] {
      if (communicator.is_root() && !store::list_checkpoints(checkpoints.folder()).empty()) {
        throw Error(Code::kUsage,
                    fmt::format("--resume none, but {} holds checkpoints of an earlier run",
                                checkpoints.folder().string()),
                    "Choose another --run-dir, or go on with --resume auto");
      }
    });
    return {0, false, "a fresh start"};
  }
  if (how != "auto") {
    std::string step_folder;
    communicator.agree([&] {
      if (communicator.is_root()) step_folder = find_step_folder(how).string();
    });
    step_folder = communicator.broadcast_text(step_folder);
    return started_from(communicator, checkpoints.load(step_folder, registry), config);
  }
  note_interrupted(communicator, checkpoints.folder());
  if (const auto report = checkpoints.load_newest(registry)) {
    return started_from(communicator, *report, config);
  }
  communicator.agree([&] {
    if (!undefined) return;
    throw Error(Code::kCheckpoint,
                "a node-local checkpoint could be read only in part, and the run has no shared one",
                "Its options may be others than the run's; else start over in another folder");
  });
  return {0, false, "a fresh start"};
}

}  // namespace

StartPoint restore(const comm::Communicator& communicator, store::CheckpointStore& checkpoints,
                   store::LocalCheckpoints* local, const store::StateRegistry& registry,
                   const std::string& how, const std::string& config) {
  bool undefined = false;
  if (local != nullptr && how == "auto") {
    if (auto start = from_local(communicator, *local, registry, config, &undefined)) {
      local->go_on_from(start->step);
      return *start;
    }
  }
  StartPoint start = from_shared(communicator, checkpoints, registry, how, config, undefined);
  if (local != nullptr) {
    local->start_anew();
  } else {
    store::abandon_local_checkpoints(communicator, checkpoints.folder());
  }
  return start;
}

}  // namespace tenfold::train
