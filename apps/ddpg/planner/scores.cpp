#include "ddpg/planner/scores.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <system_error>
#include <tuple>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "store/h5_table.hpp"

namespace tenfold::ddpg {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using store::Hid;

namespace {

constexpr const char* kSchema = "tenfold-planner-scores";
constexpr std::int64_t kVersion = 1;
constexpr std::uint64_t kMostEpisodes = 1U << 20;

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Error malformed(const std::string& what) {
  return Error(Code::kData, what, "Give --normalise a file that --planner-record wrote");
}

std::vector<double> read_column(hid_t group, const std::string& name) {
  const store::StoredColumn column(group, name);
  if (column.rows() == 0 || column.rows() > kMostEpisodes) {
    throw malformed(fmt::format("'{}' is not a column of episodes", name));
  }
  auto values = column.read<double>();
  if (!std::all_of(values.begin(), values.end(), [](double each) { return std::isfinite(each); })) {
    throw malformed(fmt::format("'{}' holds a value that is not a number", name));
  }
  return values;
}

PlannerScore read_entry(hid_t group, const std::string& task, const std::string& method) {
  PlannerScore score;
  score.task = task;
  score.method = method;
  score.horizon = store::read_integer(group, "horizon");
  score.repeat = store::read_integer(group, "repeat");
  score.terminate_on_fall = store::read_integer(group, "terminate_on_fall");
  score.lookahead = store::read_integer(group, "lookahead");
  score.seed = store::read_integer(group, "seed");
  score.mujoco = store::read_text(group, "mujoco");
  score.command = store::read_text(group, "command");
  score.git = store::read_text(group, "git");
  score.created_utc = store::read_text(group, "created_utc");
  score.returns = read_column(group, "return");
  score.cpu_seconds = read_column(group, "cpu_seconds");
  score.random_returns = read_column(group, "random_return");
  return score;
}

void write_entry(hid_t group, const PlannerScore& score) {
  store::write_integer(group, "horizon", score.horizon);
  store::write_integer(group, "repeat", score.repeat);
  store::write_integer(group, "terminate_on_fall", score.terminate_on_fall);
  store::write_integer(group, "lookahead", score.lookahead);
  store::write_integer(group, "seed", score.seed);
  store::write_text(group, "mujoco", score.mujoco);
  store::write_text(group, "command", score.command);
  store::write_text(group, "git", score.git);
  store::write_text(group, "created_utc", score.created_utc);
  store::write_column(group, "return", score.returns);
  store::write_column(group, "cpu_seconds", score.cpu_seconds);
  store::write_column(group, "random_return", score.random_returns);
}

std::vector<PlannerScore> read_file(const fs::path& path) {
  const Hid file =
      store::open_file(path, H5F_ACC_RDONLY, store::serial_access(H5F_LIBVER_V18, false));
  if (!store::has_attribute(file.get(), "schema") ||
      store::read_text(file.get(), "schema") != kSchema) {
    throw malformed(
        fmt::format("not a file of planner scores (no attribute schema=\"{}\")", kSchema));
  }
  if (const auto version = store::read_integer(file.get(), "schema_version"); version != kVersion) {
    throw Error(
        Code::kData,
        fmt::format("schema version {}, but this program reads version {}", version, kVersion),
        "Use the Tenfold that wrote it, or a newer one");
  }
  std::vector<PlannerScore> scores;
  const Hid tasks = store::open_group(file.get(), "scores");
  for (const std::string& task : store::child_names(tasks.get())) {
    const Hid methods = store::open_group(tasks.get(), task);
    for (const std::string& method : store::child_names(methods.get())) {
      const Hid entry = store::open_group(methods.get(), method);
      store::with_path(fs::path(task) / method,
                       [&] { scores.push_back(read_entry(entry.get(), task, method)); });
    }
  }
  return scores;
}

void write_file(const fs::path& path, const std::vector<PlannerScore>& scores) {
  Hid file = store::create_file(path, H5F_ACC_TRUNC, store::serial_access(H5F_LIBVER_V18, false));
  store::write_text(file.get(), "schema", kSchema);
  store::write_integer(file.get(), "schema_version", kVersion);
  for (const PlannerScore& score : scores) {
    const std::string name = "scores/" + score.task + "/" + score.method;
    Hid group = store::create_group(file.get(), name);
    write_entry(group.get(), score);
    group.close(name);
  }
  file.close("the file");
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Held while a file of its folder is read, changed and replaced.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX) != 0) {
      const int reason = errno;
      if (descriptor_ >= 0) ::close(descriptor_);
      throw Error(Code::kIo, fmt::format("cannot lock the folder {}: {}", folder.string(),
                                         std::system_category().message(reason)));
    }
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace

double PlannerScore::mean() const {
  return mean_of(returns);
}

double PlannerScore::random_mean() const {
  return mean_of(random_returns);
}

std::vector<PlannerScore> read_scores(const fs::path& path) {
  if (!fs::is_regular_file(path)) {
    throw Error(Code::kUsage,
                fmt::format("no file of planner scores {}", base::printable(path.string())),
                "--normalise takes auto, none or the name of a file");
  }
  const store::Hdf5Session session;
  std::vector<PlannerScore> scores;
  try {
    store::with_path(path, [&] { scores = read_file(path); });
  } catch (const Error& error) {
    // HDF5 cannot tell a damaged file from one that cannot be read; the latter is rare here.
    if (error.code() != Code::kIo) throw;
    throw Error(Code::kData, error.message(),
                "Give --normalise a file that --planner-record wrote");
  }
  return scores;
}

void record_score(const fs::path& path, const PlannerScore& score) {
  base::make_directories(folder_of(path));
  const FolderLock lock(folder_of(path));
  const store::Hdf5Session session;
  std::vector<PlannerScore> scores;
  if (fs::exists(path)) scores = read_scores(path);
  const auto same = [&](const PlannerScore& each) {
    return each.task == score.task && each.method == score.method;
  };
  const auto old = std::find_if(scores.begin(), scores.end(), same);
  if (old == scores.end()) {
    scores.push_back(score);
  } else {
    *old = score;
  }
  std::sort(scores.begin(), scores.end(), [](const PlannerScore& a, const PlannerScore& b) {
    return std::tie(a.task, a.method) < std::tie(b.task, b.method);
  });
  store::replace_file(path, [&](const fs::path& temporary) { write_file(temporary, scores); });
}

double Reference::score(double episode_return) const {
  if (!problem.empty()) return std::numeric_limits<double>::quiet_NaN();
  return (episode_return - random) / (planner - random);
}

namespace {

// Why an entry's returns cannot be held against those of a task played like this; empty: they can.
std::string mismatch(const PlannerScore& score, const PlayedTask& played) {
  const auto differs = [](const char* what, const auto& theirs, const auto& ours) {
    return fmt::format("its scores are for {} {}, this run has {}", what, theirs, ours);
  };
  if (score.repeat != played.repeat) return differs("action repeat", score.repeat, played.repeat);
  if (score.horizon != played.horizon) {
    return differs("a horizon of", score.horizon, played.horizon);
  }
  if (score.terminate_on_fall != played.terminate_on_fall) {
    return differs("terminate-on-fall", score.terminate_on_fall, played.terminate_on_fall);
  }
  if (score.mujoco != played.mujoco) return differs("MuJoCo", score.mujoco, played.mujoco);
  if (score.mean() <= score.random_mean()) return "its planner was no better than random actions";
  return {};
}

}  // namespace

Reference find_reference(const std::vector<PlannerScore>& scores, const PlayedTask& played) {
  Reference reference;
  reference.problem = fmt::format("it has no scores for the task {}", played.task);
  for (const PlannerScore& score : scores) {
    if (score.task != played.task) continue;
    const std::string problem = mismatch(score, played);
    if (!problem.empty()) {
      if (reference.method.empty()) reference.problem = problem;
    } else if (reference.method.empty() || score.mean() > reference.planner) {
      reference = {score.random_mean(), score.mean(), score.method, {}};
    }
  }
  return reference;
}

}  // namespace tenfold::ddpg
