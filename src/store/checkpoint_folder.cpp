#include "store/checkpoint_folder.hpp"

#include <algorithm>
#include <system_error>

#include "base/error.hpp"
#include "store/checkpoint_commit.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

constexpr std::size_t kStepDigits = 12;

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

}  // namespace tenfold::store
