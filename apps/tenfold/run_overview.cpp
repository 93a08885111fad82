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

RunState judge(const fs::path& run, const std::vector<store::Event>& events) {
  if (is_locked(run)) return RunState::kRunning;
  if (events.empty()) return RunState::kKilled;
  if (events.back().kind == "end") return RunState::kFinished;
  return events.back().kind == "stop" ? RunState::kStopped : RunState::kKilled;
}

void collect_runs(const fs::path& folder, int depth, std::vector<fs::path>* runs) {
  std::error_code failure;
  if (fs::exists(folder / "manifest.h5", failure)) {
    runs->push_back(folder);
    return;
  }
  if (depth == 0) return;
  for (fs::directory_iterator it(folder, fs::directory_options::skip_permission_denied, failure),
       end;
       !failure && it != end; it.increment(failure)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) collect_runs(it->path(), depth - 1, runs);
  }
}

}  // namespace

std::string state_name(RunState state) {
  static constexpr std::array kNames = {"running", "finished", "stopped", "killed"};
  return kNames.at(static_cast<std::size_t>(state));
}

std::string state_meaning(RunState state) {
  static constexpr std::array kMeanings = {
      "a job owns it now", "all steps done",
      "has a checkpoint; the same command goes on from there",
      "ended without saying so: killed, or failed (see logs/rank-00000.log)"};
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
    const bool known = each.name.ends_with("return") || each.name.ends_with("score") ||
                       each.name.ends_with("loss");
    return (evaluation ? 2 : 0) + (known ? 1 : 0);
  };
  for (const store::Series& each : series) {
    if (each.better.empty() || each.columns != 1 || each.step.empty()) continue;
    if (best == nullptr || rank(each) > rank(*best)) best = &each;
  }
  return best;
}

RunOverview read_overview(const fs::path& run) {
  RunOverview overview;
  overview.path = run;
  std::error_code ignored;
  if (!fs::exists(run, ignored)) {
    throw Error(Code::kData, fmt::format("{} does not exist", run.string()),
                "`tenfold ls` lists the runs below ./runs");
  }
  overview.manifest = store::read_manifest(run);
  overview.config = parse_config(overview.fact("config"), &overview.warnings);
  overview.series = store::read_metrics(run, &overview.warnings);
  // The same files again: what they say of themselves was already collected.
  overview.events = store::read_events(run, nullptr);
  overview.state = judge(run, overview.events);
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
  collect_runs(root, kDepth, &runs);
  std::sort(runs.begin(), runs.end());
  return runs;
}

std::vector<double> first_column(const store::Series& series) {
  std::vector<double> values;
  for (std::size_t row = 0; row < series.step.size(); ++row) {
    values.push_back(series.value[row * series.columns]);
  }
  return values;
}

std::string progress_text(const RunOverview& run) {
  const auto total = run.total_steps();
  return total ? fmt::format("{} of {}", run.last_step(), *total) : std::to_string(run.last_step());
}

}  // namespace tenfold::tool
