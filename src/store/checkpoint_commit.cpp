#include "store/checkpoint_commit.hpp"

#include <algorithm>
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

}  // namespace

namespace {

nlohmann::ordered_json needs_json(const std::vector<CheckpointNeed>& needs) {
  auto list = nlohmann::ordered_json::array();
  for (const CheckpointNeed& need : needs) {
    list.push_back({{"step", need.step}, {"sha256", need.sha256}});
  }
  return list;
}

/// Steps that grow towards the record's own: no list can lead in a circle.
std::vector<CheckpointNeed> parse_needs(const json& object, std::uint64_t step) {
  const auto found = object.find("needs");
  if (found == object.end()) return {};
  if (!found->is_array() || found->size() >= kMostMembers) {
    malformed(fmt::format("'needs' is not a list of at most {}", kMostMembers - 1));
  }
  std::vector<CheckpointNeed> needs;
  for (const json& each : *found) {
    if (!each.is_object()) malformed("'needs' holds something else than objects");
    needs.push_back({unsigned_member(each, "step"), text_member(each, "sha256")});
    if (!is_sha256(needs.back().sha256)) malformed("a 'sha256' of 'needs' is not 64 hex digits");
    if (needs.size() > 1 && needs[needs.size() - 2].step >= needs.back().step) {
      malformed("the steps of 'needs' do not grow");
    }
  }
  if (!needs.empty() && needs.back().step >= step) malformed("'needs' a step that is not earlier");
  return needs;
}

}  // namespace

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
  if (!record.needs.empty()) object["needs"] = needs_json(record.needs);
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
  record.needs = parse_needs(object, record.step);
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

}  // namespace tenfold::store
