#include "store/checkpoint_commit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/fault.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using nlohmann::json;

namespace {

constexpr std::size_t kLongestCommit = 1U << 20;
constexpr std::string_view kCommitSchema = "tenfold-checkpoint";
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kPartial = ".partial";
constexpr std::string_view kOld = ".old";
constexpr std::size_t kStepDigits = 12;

[[noreturn]] void malformed(const std::string& reason) {
  throw Error(Code::kData, std::string(kCommitFile) + " is malformed: " + reason);
}

std::uint64_t unsigned_member(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) {
    malformed(fmt::format("'{}' is not a whole number", key));
  }
  return found->get<std::uint64_t>();
}

std::string text_member(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) {
    malformed(fmt::format("'{}' is not a text", key));
  }
  return found->get<std::string>();
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_plain(const fs::path& path, fs::file_type type) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() == type;
}

bool claims_commit(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(folder / kCommitFile, ignored));
}

std::uint64_t file_bytes(const fs::path& file) {
  std::error_code failure;
  const std::uintmax_t size = fs::file_size(file, failure);
  if (failure) {
    throw Error(Code::kIo, fmt::format("cannot inspect {}: {}", file.string(), failure.message()));
  }
  return size;
}

void rename_path(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (failure) {
    throw Error(Code::kIo, fmt::format("cannot rename {} to {}: {}", from.string(), to.string(),
                                       failure.message()));
  }
}

void remove_tree(const fs::path& path) {
  std::error_code failure;
  fs::remove_all(path, failure);
  if (failure) {
    throw Error(Code::kIo, fmt::format("cannot remove {}: {}", path.string(), failure.message()));
  }
}

/// Entries named step-*, that are not symbolic links when plain is asked for.
std::vector<fs::path> step_entries(const fs::path& folder, bool plain) {
  std::vector<fs::path> entries;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    if (!it->path().filename().string().starts_with(kPrefix)) continue;
    if (plain && !is_plain(it->path(), fs::file_type::directory)) continue;
    entries.push_back(it->path());
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    throw Error(Code::kIo, fmt::format("cannot list {}: {}", folder.string(), failure.message()));
  }
  return entries;
}

/// Two steps, so that a kill in between leaves a .partial and never a committed folder without
/// data.
void remove_checkpoint(const fs::path& path) {
  fs::path doomed = path;
  doomed += kPartial;
  rename_path(path, doomed);
  remove_tree(doomed);
}

}  // namespace

std::string step_name(std::uint64_t step) {
  return fmt::format("{}{:012}", kPrefix, step);
}

std::optional<std::uint64_t> step_of_name(const std::string& name) {
  std::string_view digits = name;
  if (!digits.starts_with(kPrefix)) return std::nullopt;
  digits.remove_prefix(kPrefix.size());
  if (digits.ends_with(kOld)) digits.remove_suffix(kOld.size());
  if (digits.size() < kStepDigits || digits.size() > 19) return std::nullopt;
  if (digits.size() > kStepDigits && digits.front() == '0') return std::nullopt;
  std::uint64_t step = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    step = 10 * step + static_cast<std::uint64_t>(c - '0');
  }
  return step;
}

std::string commit_text(const CommitRecord& record) {
  nlohmann::ordered_json object;
  object["schema"] = kCommitSchema;
  object["schema_version"] = kSchemaVersion;
  object["step"] = record.step;
  object["file"] = kStateFile;
  object["bytes"] = record.bytes;
  object["sha256"] = record.sha256;
  object["world_size"] = record.world_size;
  object["shards"] = record.shards;
  object["created_utc"] = record.created_utc;
  object["writer"] = "tenfold " TENFOLD_VERSION;
  object["metadata"] = record.metadata;
  return object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

CommitRecord parse_commit(const std::string& text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) malformed("not a JSON object");
  if (text_member(object, "schema") != kCommitSchema) malformed("'schema' is another");
  if (const auto version = unsigned_member(object, "schema_version");
      version != static_cast<std::uint64_t>(kSchemaVersion)) {
    malformed(fmt::format("schema version {}, this program reads {}", version, kSchemaVersion));
  }
  if (text_member(object, "file") != kStateFile) malformed("'file' is not state.h5");
  CommitRecord record;
  record.step = unsigned_member(object, "step");
  record.bytes = unsigned_member(object, "bytes");
  record.sha256 = text_member(object, "sha256");
  if (!is_sha256(record.sha256)) malformed("'sha256' is not 64 hex digits");
  const std::uint64_t world = unsigned_member(object, "world_size");
  if (world < 1 || world > 1U << 30) malformed("'world_size' is out of range");
  record.world_size = static_cast<int>(world);
  record.shards = unsigned_member(object, "shards");
  record.created_utc = text_member(object, "created_utc");
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) malformed("'metadata' is not an object");
  for (const auto& [key, value] : metadata->items()) {
    if (!value.is_string()) malformed("metadata '" + base::printable(key) + "' is not a text");
    record.metadata[key] = value.get<std::string>();
  }
  return record;
}

CommitRecord read_commit(const fs::path& step_folder) {
  const std::string name = step_folder.filename().string();
  const auto step = step_of_name(name);
  if (!step) throw Error(Code::kData, "not named like a checkpoint (step-000000012000)");
  if (is_plain(step_folder, fs::file_type::symlink)) throw Error(Code::kData, "is a symbolic link");
  if (!is_plain(step_folder, fs::file_type::directory)) throw Error(Code::kData, "is not a folder");
  const fs::path file = step_folder / kCommitFile;
  if (!claims_commit(step_folder)) throw Error(Code::kData, "has no COMMIT.json");
  if (!is_plain(file, fs::file_type::regular)) malformed("not a plain file");
  CommitRecord record = parse_commit(base::read_text(file, kLongestCommit));
  if (record.step != *step) malformed(fmt::format("it is of step {}", record.step));
  return record;
}

void require_size(const fs::path& step_folder, std::uint64_t bytes) {
  const fs::path file = step_folder / kStateFile;
  if (!is_plain(file, fs::file_type::regular)) {
    throw Error(Code::kData, "state.h5 is missing or not a plain file");
  }
  const std::uint64_t size = file_bytes(file);
  if (size != bytes) {
    throw Error(Code::kData, fmt::format("state.h5 has {} bytes, its record says {}", size, bytes));
  }
}

CommitRecord verify_commit(const fs::path& step_folder) {
  CommitRecord record = read_commit(step_folder);
  require_size(step_folder, record.bytes);
  if (base::sha256_file(step_folder / kStateFile) != record.sha256) {
    throw Error(Code::kData, "state.h5 is damaged (its SHA-256 is not the recorded one)");
  }
  return record;
}

std::vector<fs::path> commit_candidates(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& path : step_entries(folder, false)) {
    const std::string name = path.filename().string();
    if (name.ends_with(kPartial) || name.find(".superseded-") != std::string::npos) continue;
    if (claims_commit(path)) found.push_back(path);
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    const std::string first = a.filename().string();
    const std::string second = b.filename().string();
    const auto first_step = step_of_name(first).value_or(UINT64_MAX);
    const auto second_step = step_of_name(second).value_or(UINT64_MAX);
    return first_step != second_step ? first_step > second_step : first < second;
  });
  return found;
}

PendingCheckpoint::PendingCheckpoint(fs::path folder, std::uint64_t step)
    : folder_(std::move(folder)), final_(folder_ / step_name(step)) {
  partial_ = final_;
  partial_ += kPartial;
  old_ = final_;
  old_ += kOld;
}

void PendingCheckpoint::prepare(std::uint64_t needed_bytes) {
  base::make_directories(folder_);
  for (const auto& path : step_entries(folder_, true)) {
    if (path.filename().string().ends_with(kPartial)) remove_tree(path);
  }
  const std::uint64_t free = base::free_bytes(folder_);
  if (free < needed_bytes) {
    throw Error(Code::kIo,
                fmt::format("{} has {} free, a checkpoint needs {}", folder_.string(),
                            base::human_bytes(static_cast<double>(free)),
                            base::human_bytes(static_cast<double>(needed_bytes))),
                "Free some space; the checkpoints written before are untouched");
  }
  base::make_directories(partial_);
}

void PendingCheckpoint::move_into_place() {
  if (claims_commit(final_)) {
    if (fs::exists(old_) && claims_commit(old_)) {
      // A kill left both: the one with the plain name is used only if it proves to be whole.
      try {
        verify_commit(final_);
        remove_checkpoint(old_);
      } catch (const Error&) {
        std::error_code ignored;
        fs::remove(final_ / kCommitFile, ignored);
        remove_tree(final_);
      }
    }
    if (fs::exists(final_)) rename_path(final_, old_);
    moved_aside_ = true;
  } else if (fs::exists(final_)) {
    remove_tree(final_);
  }
  rename_path(partial_, final_);
  in_place_ = true;
}

void PendingCheckpoint::commit(CommitRecord* record) {
  base::sync_path(state_file());
  comm::fault_point("ckpt.after_sync");
  record->bytes = file_bytes(state_file());
  record->sha256 = base::sha256_file(state_file());
  comm::fault_point("ckpt.after_digest");
  base::sync_path(partial_);
  move_into_place();
  comm::fault_point("ckpt.after_rename");
  base::sync_path(folder_);
  comm::fault_point("ckpt.before_commit");
  base::write_atomic(final_ / kCommitFile, commit_text(*record));
  comm::fault_point("ckpt.after_commit");
  if (comm::fault_here("short", "ckpt.after_commit")) {
    fs::resize_file(final_ / kStateFile, record->bytes / 2);
  }
  try {
    with_path(final_, [&] { verify_commit(final_); });
  } catch (const Error& error) {
    // What was just written does not read back: the disk's fault, not bad input of the user's.
    throw Error(Code::kIo, error.message(), error.hint());
  }
}

void PendingCheckpoint::withdraw() noexcept {
  std::error_code ignored;
  const fs::path ours = in_place_ ? final_ : partial_;
  fs::remove(ours / kCommitFile, ignored);
  // HDF5 keeps a file open whose close failed: without this its blocks would stay taken.
  if (fs::exists(ours / kStateFile, ignored)) fs::resize_file(ours / kStateFile, 0, ignored);
  fs::remove_all(ours, ignored);
  if (moved_aside_) fs::rename(old_, final_, ignored);
}

namespace {

/// The metadata that retention goes by; NaN when the record has none.
double quality(const CommitRecord& record, const RetentionPolicy& retention) {
  const auto found = record.metadata.find(retention.best_key);
  if (found == record.metadata.end()) return std::numeric_limits<double>::quiet_NaN();
  return std::strtod(found->second.c_str(), nullptr);
}

/// Removes those of earlier (newest first) that no rule keeps. newest was just written.
void prune_earlier(const std::vector<std::pair<std::uint64_t, fs::path>>& earlier,
                   const fs::path& newest, const RetentionPolicy& retention) {
  std::vector<std::pair<std::uint64_t, fs::path>> readable;
  const fs::path* best = nullptr;
  double best_quality = quality(read_commit(newest), retention);
  for (const auto& each : earlier) {
    CommitRecord record;
    try {
      record = read_commit(each.second);
    } catch (const Error&) {
      continue;  // evidence for its owner; never counted as one that a run could resume from
    }
    readable.push_back(each);
    const double value = quality(record, retention);
    const bool better = retention.best_is_largest ? value > best_quality : value < best_quality;
    if (better || (std::isnan(best_quality) && !std::isnan(value))) {
      best_quality = value;
      best = &each.second;
    }
  }
  std::int64_t kept = 1;
  for (const auto& [step, path] : readable) {
    const bool milestone =
        retention.keep_every > 0 && step % static_cast<std::uint64_t>(retention.keep_every) == 0;
    if (kept < retention.keep_last) {
      ++kept;
    } else if (!milestone && (best == nullptr || path != *best)) {
      remove_checkpoint(path);
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

std::vector<fs::path> list_checkpoints(const fs::path& folder) {
  std::vector<fs::path> usable;
  for (const auto& path : commit_candidates(folder)) {
    try {
      read_commit(path);
      usable.push_back(path);
    } catch (const Error&) {
      continue;
    }
  }
  return usable;
}

CommitRecord verify_checkpoint(const fs::path& step_folder) {
  // "step-1/" has an empty file name.
  const fs::path folder = step_folder.has_filename() ? step_folder : step_folder.parent_path();
  try {
    return verify_commit(folder);
  } catch (const Error& error) {
    throw Error(Code::kCheckpoint, fmt::format("{}: {}", folder.string(), error.message()),
                error.hint());
  }
}

}  // namespace tenfold::store
