// Which checkpoints stay: prune_checkpoints.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "store/checkpoint_commit.hpp"
#include "store/checkpoint_folder.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Error;

namespace {

/// The metadata that retention goes by; NaN when the record has none.
double quality(const CommitRecord& record, const RetentionPolicy& retention) {
  const auto found = record.metadata.find(retention.best_key);
  if (found == record.metadata.end()) return std::numeric_limits<double>::quiet_NaN();
  return std::strtod(found->second.c_str(), nullptr);
}

std::set<std::uint64_t> steps_of(const std::vector<CheckpointNeed>& needs) {
  std::set<std::uint64_t> steps;
  for (const CheckpointNeed& need : needs) steps.insert(need.step);
  return steps;
}

/// A checkpoint that a run could resume from.
struct Choice {
  fs::path path;
  std::uint64_t step = 0;
  std::set<std::uint64_t> needs;
};

/// Removes those of earlier (newest first) that no rule keeps and no kept one builds on. newest was
/// just written.
void prune_earlier(const std::vector<std::pair<std::uint64_t, fs::path>>& earlier,
                   const fs::path& newest, const RetentionPolicy& retention) {
  std::vector<Choice> choices;
  const fs::path* best = nullptr;
  const CommitRecord written = read_commit(newest);
  double best_quality = quality(written, retention);
  for (const auto& each : earlier) {
    CommitRecord record;
    try {
      record = read_commit(each.second);
    } catch (const Error&) {
      continue;  // evidence for its owner; never counted as one that a run could resume from
    }
    choices.push_back({each.second, record.step, steps_of(record.needs)});
    const double value = quality(record, retention);
    const bool better = retention.best_is_largest ? value > best_quality : value < best_quality;
    if (better || (std::isnan(best_quality) && !std::isnan(value))) {
      best_quality = value;
      best = &each.second;
    }
  }
  std::int64_t kept = 1;
  // Newest first, so that what builds on others is seen, and goes, before them.
  std::set<std::uint64_t> needed = steps_of(written.needs);
  for (const Choice& each : choices) {
    const bool counted = kept < retention.keep_last;
    if (counted) ++kept;
    const bool milestone = retention.keep_every > 0 &&
                           each.step % static_cast<std::uint64_t>(retention.keep_every) == 0;
    if (counted || milestone || (best != nullptr && each.path == *best)) {
      needed.insert(each.needs.begin(), each.needs.end());
    } else if (!needed.contains(each.step)) {
      remove_checkpoint(each.path);
    }
  }
}

}  // namespace

void prune_checkpoints(const fs::path& folder, std::uint64_t step,
                       const RetentionPolicy& retention) {
  std::vector<std::pair<std::uint64_t, fs::path>> earlier;
  for (const auto& path : step_entries(folder, true)) {
    const std::string name = path.filename().string();
    if (name.ends_with(kPartial)) {
      remove_tree(path);
      continue;
    }
    const auto found = step_of_name(name);
    if (!found || *found == step) {
      if (found && name.ends_with(kOld)) remove_checkpoint(path);
      continue;
    }
    if (!claims_commit(path) || name.ends_with(kOld)) {
      remove_checkpoint(path);
    } else if (*found > step) {
      fs::path aside = path;
      aside += ".superseded-" + base::utc_compact();
      rename_path(path, aside);
      base::log_warning("{} is of a later step than the checkpoint just written: renamed to {}",
                        path.string(), aside.filename().string());
    } else {
      earlier.emplace_back(*found, path);
    }
  }
  std::sort(earlier.rbegin(), earlier.rend());
  prune_earlier(earlier, folder / step_name(step), retention);
}

}  // namespace tenfold::store
