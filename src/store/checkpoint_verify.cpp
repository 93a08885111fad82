// Whether a checkpoint, and what it builds on, is what its records say: read by digest before HDF5
// sees any of it.
#include <algorithm>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "store/checkpoint_commit.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

fs::path sibling(const fs::path& step_folder, std::uint64_t step) {
  return step_folder.parent_path() / step_name(step);
}

/// Runs body; what it throws gets the member's name in front.
template <class Body>
void about_member(std::uint64_t step, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("it builds on {}: {}", step_name(step), error.message()),
                error.hint());
  }
}

/// Members hold needs of their own: exactly those before them.
void require_member(const CommitRecord& member, const CommitRecord& newest, std::size_t place) {
  if (member.sha256 != newest.needs[place].sha256) {
    throw Error(Code::kData, "which is not the one that it was written after (another SHA-256)");
  }
  if (!std::equal(member.needs.begin(), member.needs.end(), newest.needs.begin(),
                  newest.needs.begin() + static_cast<std::ptrdiff_t>(place))) {
    throw Error(Code::kData, "which builds on others than it");
  }
  if (member.shards != newest.shards) {
    throw Error(Code::kData, fmt::format("which has {} virtual shards instead of {}", member.shards,
                                         newest.shards));
  }
}

const CommitRecord& verified_commit(const fs::path& folder, std::uint64_t most_bytes,
                                    VerifiedCommits* verified) {
  const auto known = verified->find(folder);
  if (known != verified->end()) return known->second;
  return verified->emplace(folder, verify_commit(folder, most_bytes)).first->second;
}

}  // namespace

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

CommitRecord verify_commit(const fs::path& step_folder, std::uint64_t most_bytes) {
  CommitRecord record = read_commit(step_folder);
  require_size(step_folder, record.bytes);
  if (record.bytes > most_bytes) {
    throw Error(Code::kData, fmt::format("state.h5 has {}, all state of this run takes at most {}",
                                         base::human_bytes(static_cast<double>(record.bytes)),
                                         base::human_bytes(static_cast<double>(most_bytes))));
  }
  if (base::sha256_file(step_folder / kStateFile) != record.sha256) {
    throw Error(Code::kData, "state.h5 is damaged (its SHA-256 is not the recorded one)");
  }
  return record;
}

std::vector<CommitRecord> verify_chain(const fs::path& step_folder, std::uint64_t most_bytes,
                                       VerifiedCommits* verified) {
  const CommitRecord newest = read_commit(step_folder);
  // All records before any digest: they are small and tell most of what can be wrong.
  for (std::size_t place = 0; place < newest.needs.size(); ++place) {
    const std::uint64_t step = newest.needs[place].step;
    about_member(step,
                 [&] { require_member(read_commit(sibling(step_folder, step)), newest, place); });
  }
  std::vector<CommitRecord> chain;
  for (const CheckpointNeed& need : newest.needs) {
    about_member(need.step, [&] {
      chain.push_back(verified_commit(sibling(step_folder, need.step), most_bytes, verified));
      require_member(chain.back(), newest, chain.size() - 1);
    });
  }
  chain.push_back(verified_commit(step_folder, most_bytes, verified));
  if (chain.back().needs != newest.needs) {
    throw Error(Code::kData, "COMMIT.json changed while it was read");
  }
  return chain;
}

bool has_members(const fs::path& folder, const std::vector<CheckpointNeed>& members) {
  return std::all_of(members.begin(), members.end(), [&](const CheckpointNeed& member) {
    try {
      const fs::path path = folder / step_name(member.step);
      const CommitRecord record = read_commit(path);
      require_size(path, record.bytes);
      return record.sha256 == member.sha256;
    } catch (const Error&) {
      return false;
    }
  });
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

std::vector<std::string> interrupted_checkpoints(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& path : step_entries(folder, true)) {
    const std::string name = path.filename().string();
    if (name.find(".superseded-") != std::string::npos) continue;
    if (name.ends_with(kPartial) || !claims_commit(path)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<CommitRecord> verify_checkpoint_chain(const fs::path& step_folder,
                                                  VerifiedCommits* verified) {
  // "step-1/" has an empty file name.
  const fs::path folder = step_folder.has_filename() ? step_folder : step_folder.parent_path();
  try {
    return verify_chain(folder, UINT64_MAX, verified);
  } catch (const Error& error) {
    throw Error(Code::kCheckpoint, fmt::format("{}: {}", folder.string(), error.message()),
                error.hint());
  }
}

CommitRecord verify_checkpoint(const fs::path& step_folder) {
  VerifiedCommits verified;
  return verify_checkpoint_chain(step_folder, &verified).back();
}

}  // namespace tenfold::store
