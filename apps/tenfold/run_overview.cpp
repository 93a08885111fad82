#include "tenfold/run_overview.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

// A job on another host whose lock this file system does not show is taken as running while its
// metrics are younger than this.
constexpr double kFreshSeconds = 600;
constexpr int kDepth = 3;

std::vector<ConfigValue> parse_config(const std::string& text, std::vector<std::string>* warnings) {
  std::vector<ConfigValue> config;
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) {
    warnings->push_back("the manifest's configuration cannot be read");
    return config;
  }
  const auto text_of = [](const nlohmann::json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  for (const auto& [key, entry] : object.items()) {
    if (entry.is_object() && entry.contains("value")) {
      config.push_back(
          {key, text_of(entry["value"]), text_of(entry.value("origin", nlohmann::json("")))});
    } else {
      config.push_back({key, text_of(entry), ""});
    }
  }
  return config;
}

double newest_metrics_age(const fs::path& run) {
  double age = kFreshSeconds;
  std::error_code failure;
  for (fs::directory_iterator it(run / "metrics", failure), end; !failure && it != end;
       it.increment(failure)) {
    struct stat facts {};
    if (::stat(it->path().c_str(), &facts) != 0) continue;
    age = std::min(age, base::wall_now() - static_cast<double>(facts.st_mtime));
  }
  return age;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// Whether the segment that tells how the run ended is among those that could not be read.
bool newest_is_damaged(const fs::path& run, const std::vector<std::string>& warnings) {
  std::pair<std::size_t, std::string> newest;
  std::error_code failure;
  for (fs::directory_iterator it(run / "metrics", failure), end; !failure && it != end;
       it.increment(failure)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with("seg-") || !name.ends_with(".h5")) continue;
    newest = std::max(newest, std::pair(name.size(), name));
  }
  const std::string path = (run / "metrics" / newest.second).string() + " ";
  return std::any_of(warnings.begin(), warnings.end(),
                     [&](const std::string& text) { return text.starts_with(path); });
}

RunState judge(const fs::path& run, const std::vector<store::Event>& events,
               const std::vector<std::string>& warnings) {
  if (newest_is_damaged(run, warnings)) return RunState::kUnknown;
  if (events.empty()) return RunState::kKilled;
  if (events.back().kind == "end") return RunState::kFinished;
  return events.back().kind == "stop" ? RunState::kStopped : RunState::kKilled;
}

/// Folders below, real ones before links, so that a run that can be reached twice has its own name.
std::vector<fs::path> folders_below(const fs::path& folder) {
  std::vector<fs::path> real, links;
  std::error_code failure;
  for (fs::directory_iterator it(folder, fs::directory_options::skip_permission_denied, failure),
       end;
       !failure && it != end; it.increment(failure)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) (it->is_symlink(ignored) ? links : real).push_back(it->path());
  }
  real.insert(real.end(), links.begin(), links.end());
  return real;
}

void collect_runs(const fs::path& folder, int depth, std::set<fs::path>* visited,
                  std::vector<fs::path>* runs) {
  std::error_code failure;
  // Links may lead back up.
  const fs::path real = fs::canonical(folder, failure);
  if (failure || !visited->insert(real).second) return;
  if (fs::is_regular_file(folder / "manifest.h5", failure)) {
    runs->push_back(folder);
    return;
  }
  if (depth == 0) return;
  for (const fs::path& each : folders_below(folder)) collect_runs(each, depth - 1, visited, runs);
}

}  // namespace

std::string state_name(RunState state) {
  static constexpr std::array kNames = {"running", "finished", "stopped", "killed", "unknown"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::string state_meaning(RunState state) {
  static constexpr std::array kMeanings = {
      "a job owns it now", "all steps done",
      "has a checkpoint; the same command goes on from there",
      "ended without saying so: killed, or failed (see logs/rank-00000.log)",
      "its newest metrics cannot be read"};
  return kMeanings.at(static_cast<std::size_t>(state));
}

std::string RunOverview::fact(const std::string& key) const {
  const auto found = manifest.find(key);
  return found == manifest.end() ? "" : found->second;
}

std::uint64_t RunOverview::last_step() const {
  std::uint64_t last = 0;
  for (const store::Series& each : series) {
    for (const std::uint64_t step : each.step) last = std::max(last, step);
  }
  if (!events.empty()) last = std::max(last, events.back().step);
  return last;
}

std::optional<std::uint64_t> RunOverview::total_steps() const {
  for (const ConfigValue& each : config) {
    if (!each.key.ends_with(".total-steps")) continue;
    std::uint64_t total = 0;
    const char* end = each.value.data() + each.value.size();
    const auto [stop, error] = std::from_chars(each.value.data(), end, total);
    if (error == std::errc() && stop == end) return total;
  }
  return std::nullopt;
}

double RunOverview::last_time() const {
  double last = events.empty() ? 0 : events.back().wall_s;
  for (const store::Series& each : series) {
    if (!each.wall_s.empty()) last = std::max(last, each.wall_s.back());
  }
  return last;
}

const store::Series* RunOverview::headline() const {
  const store::Series* best = nullptr;
  const auto rank = [](const store::Series& each) {
    const bool evaluation = each.name.starts_with("eval/") || each.name.starts_with("test/");
    const auto ends = [&](const char* end) { return each.name.ends_with(end); };
    const int known = ends("return") || ends("score")    ? 2
                      : ends("accuracy") || ends("loss") ? 1
                                                         : 0;
    return (evaluation ? 3 : 0) + known;
  };
  for (const store::Series& each : series) {
    if (each.better.empty() || each.columns != 1 || each.step.empty()) continue;
    if (each.name.starts_with("checkpoint/")) continue;  // of the machine, not of the run
    if (best == nullptr || rank(each) > rank(*best)) best = &each;
  }
  return best;
}

std::map<std::string, std::string> read_manifest_of(const fs::path& run) {
  std::error_code ignored;
  if (!fs::exists(run, ignored)) {
    throw Error(Code::kData, fmt::format("{} does not exist", run.string()),
                "`tenfold ls` lists the runs below ./runs");
  }
  const fs::path file = run / "manifest.h5";
  if (!fs::is_regular_file(file, ignored) && !find_runs(run).empty()) {
    throw Error(Code::kData, fmt::format("{} holds runs and is none itself", run.string()),
                fmt::format("`tenfold ls {}` lists them", run.string()));
  }
  try {
    return store::read_manifest(run);
  } catch (const Error& error) {
    // HDF5 says only that it cannot: when we may read the file, its content is what is wrong.
    if (error.code() != Code::kIo || ::access(file.c_str(), R_OK) != 0) throw;
    throw Error(Code::kData, error.message(), "The manifest is damaged or of another program");
  }
}

RunOverview read_overview(const fs::path& run) {
  RunOverview overview;
  overview.path = run;
  overview.manifest = read_manifest_of(run);
  // Asked before reading: what a job that lets go of the run has written is then all there.
  const bool locked = is_locked(run);
  overview.config = parse_config(overview.fact("config"), &overview.warnings);
  overview.series = store::read_metrics(run, &overview.warnings);
  // The same files again: what they say of themselves was already collected.
  overview.events = store::read_events(run, nullptr);
  overview.state = locked ? RunState::kRunning : judge(run, overview.events, overview.warnings);
  return overview;
}

bool is_locked(const fs::path& run) {
  const int descriptor = ::open((run / ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return false;
  std::array<char, 256> note{};
  const ssize_t size = ::pread(descriptor, note.data(), note.size() - 1, 0);
  bool locked = false;
  // A job that ended in order empties its note: only a note's owner needs to be asked for, so that
  // looking never gets in the way of a job that is starting.
  if (size > 0) {
    locked = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  }
  ::close(descriptor);
  if (locked || size <= 0) return locked;
  const std::string owner = base::split(std::string(note.data()), ':').front();
  return owner != host_name() && newest_metrics_age(run) < kFreshSeconds;
}

std::vector<fs::path> find_runs(const fs::path& root) {
  std::vector<fs::path> runs;
  std::set<fs::path> visited;
  collect_runs(root, kDepth, &visited, &runs);
  std::sort(runs.begin(), runs.end());
  return runs;
}

std::vector<double> column(const store::Series& series, std::size_t which) {
  std::vector<double> values;
  for (std::size_t row = 0; row < series.step.size(); ++row) {
    values.push_back(series.value[row * series.columns + which]);
  }
  return values;
}

std::string progress_text(const RunOverview& run) {
  const auto total = run.total_steps();
  return total ? fmt::format("{} of {}", run.last_step(), *total) : std::to_string(run.last_step());
}

}  // namespace tenfold::tool
