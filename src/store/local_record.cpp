#include "store/local_record.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using nlohmann::json;

namespace {

constexpr const char* kName = "local-id";
constexpr std::size_t kLongest = 64U << 10;
constexpr std::size_t kIdDigits = 16;

/// A folder is named after it, and removed by that name.
bool is_id(const std::string& text) {
  return text.size() == kIdDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string text_of(const json& object, const char* key, const fs::path& file) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) {
    throw Error(Code::kData, fmt::format("{} is malformed: no '{}'", file.string(), key));
  }
  return found->get<std::string>();
}

std::string new_id() {
  std::random_device device;
  const std::uint64_t high = device();
  return base::hex64(high << 32 | device());
}

}  // namespace

fs::path canonical_path(const fs::path& path) {
  std::error_code failure;
  fs::path result = fs::canonical(path, failure);
  if (failure) {
    throw Error(Code::kIo, fmt::format("cannot find {}: {}", path.string(), failure.message()));
  }
  return result;
}

std::optional<LocalRecord> read_local_record(const fs::path& checkpoint_folder) {
  const fs::path file = checkpoint_folder / kName;
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(file, ignored))) return std::nullopt;
  const json object = json::parse(base::read_text(file, kLongest), nullptr, false);
  if (!object.is_object()) {
    throw Error(Code::kData, fmt::format("{} is malformed: not a JSON object", file.string()));
  }
  LocalRecord record{text_of(object, "id", file), text_of(object, "run", file),
                     text_of(object, "folder", file)};
  if (!is_id(record.id)) {
    throw Error(Code::kData, fmt::format("{} is malformed: 'id' is not one", file.string()));
  }
  return record;
}

LocalRecord write_local_record(const fs::path& checkpoint_folder, const fs::path& folder) {
  LocalRecord record{new_id(), canonical_path(checkpoint_folder), folder};
  nlohmann::ordered_json object;
  object["id"] = record.id;
  object["run"] = record.run.string();
  object["folder"] = record.folder.string();
  base::write_atomic(
      checkpoint_folder / kName,
      object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  return record;
}

void remove_local_record(const fs::path& checkpoint_folder) {
  std::error_code failure;
  fs::remove(checkpoint_folder / kName, failure);
  if (failure) {
    throw Error(Code::kIo, fmt::format("cannot remove {}: {}", (checkpoint_folder / kName).string(),
                                       failure.message()));
  }
}

}  // namespace tenfold::store
