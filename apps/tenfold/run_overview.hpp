// What can be said of a run at a glance; shared by ls, show and tail.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/run_reader.hpp"

namespace tenfold::tool {

enum class RunState { kRunning, kFinished, kStopped, kKilled, kUnknown };
std::string state_name(RunState state);
/// One line for users: what the state means for them.
std::string state_meaning(RunState state);

struct ConfigValue {
  std::string key, value, origin;
};

struct RunOverview {
  std::filesystem::path path;
  std::map<std::string, std::string> manifest;
  std::vector<ConfigValue> config;
  std::vector<store::Series> series;
  std::vector<store::Event> events;
  std::vector<std::string> warnings;
  RunState state = RunState::kKilled;

  std::string fact(const std::string& key) const;  ///< manifest entry, "" when absent
  std::uint64_t last_step() const;
  std::optional<std::uint64_t> total_steps() const;
  double last_time() const;  ///< Unix time of the newest row or event; 0 when there is none
  /// The evaluation series that tells how good the run is; nullptr when there is none yet.
  const store::Series* headline() const;
};

/// Attributes of /manifest. Throws Code::kData (no such run, not a run, damaged), Code::kIo (not
/// allowed to read it).
std::map<std::string, std::string> read_manifest_of(const std::filesystem::path& run);
/// As read_manifest_of; anything else that cannot be read is named in warnings.
RunOverview read_overview(const std::filesystem::path& run);
/// Whether a job owns the run directory now.
bool is_locked(const std::filesystem::path& run);
/// The run folders at or below root, three levels deep, each once, in order of name.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& root);
/// Values of a column, finite or not.
std::vector<double> column(const store::Series& series, std::size_t which = 0);
/// "12000 of 60000".
std::string progress_text(const RunOverview& run);

}  // namespace tenfold::tool
