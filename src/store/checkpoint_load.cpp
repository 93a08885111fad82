// CheckpointStore::load*: verify first, open after (HDF5 neither notices flipped bytes nor survives
// all of them), fall back only from damage, never from a checkpoint that does not fit.
#include <algorithm>
#include <span>

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/checkpoint_commit.hpp"
#include "store/checkpoint_layout.hpp"
#include "store/checkpoint_read.hpp"
#include "store/checkpoint_store.hpp"
#include "store/hid.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

constexpr std::size_t kBroadcastBytes = 256U << 20;

bool is_damage(const Error& error) {
  return error.code() == Code::kData || error.code() == Code::kIo;
}

void broadcast_replicated(const comm::Communicator& communicator, const StateRegistry& registry) {
  if (communicator.size() == 1) return;
  for (const auto& field : registry.fields()) {
    if (field.scope != Scope::kReplicated) continue;
    const std::size_t bytes = row_bytes(field) * capacity_rows(field);
    auto* data = static_cast<std::byte*>(bytes == 0 ? nullptr : field.data(0));
    for (std::size_t done = 0; done < bytes; done += kBroadcastBytes) {
      communicator.broadcast(
          std::span<std::byte>(data + done, std::min(kBroadcastBytes, bytes - done)));
    }
  }
}

/// The same error, agreed on as it was, that also says which checkpoint it is about.
comm::AgreedError named(const comm::AgreedError& error, const fs::path& folder, Code code) {
  return {Error(code, fmt::format("{}: {}", folder.string(), error.message()), error.hint()),
          error.rank(), error.host()};
}

/// Rank 0's answer, on all ranks; what it throws is thrown on all of them.
std::vector<CommitRecord> verified_chain(const comm::Communicator& communicator,
                                         const fs::path& folder, std::uint64_t most_bytes,
                                         VerifiedCommits* verified) {
  std::vector<CommitRecord> chain;
  communicator.agree([&] {
    if (communicator.is_root()) chain = verify_chain(folder, most_bytes, verified);
  });
  std::uint64_t members = chain.size();
  communicator.broadcast(std::span<std::uint64_t>(&members, 1));
  chain.resize(members);
  for (CommitRecord& record : chain) {
    record = parse_commit(
        communicator.broadcast_text(communicator.is_root() ? commit_text(record) : ""));
  }
  return chain;
}

/// Collective. Throws Code::kCheckpoint for a misfit, Code::kData or Code::kIo for damage.
LoadReport load_folder(const comm::Communicator& communicator, const fs::path& folder,
                       const StateRegistry& registry, const ShardMap& shards,
                       VerifiedCommits* verified) {
  const auto chain =
      verified_chain(communicator, folder, most_state_bytes(registry, shards.shards), verified);
  const CommitRecord& record = chain.back();
  communicator.agree([&] {
    if (record.shards != shards.shards) {
      misfit(fmt::format("it has {} virtual shards, this run has {}", record.shards, shards.shards),
             fmt::format("Resume with --virtual-shards {}", record.shards));
    }
    StateReader reader(registry, shards, communicator.is_root());
    for (const CommitRecord& member : chain) {
      const bool newest = &member == &record;
      const fs::path path = newest ? folder : folder.parent_path() / step_name(member.step);
      // On a rank of another node the shared file system may still show an older state.
      require_size(path, member.bytes);
      if (newest) {
        reader.read_newest(path / kStateFile, member.step);
      } else {
        reader.read_earlier(path / kStateFile, member.step);
      }
    }
  });
  broadcast_replicated(communicator, registry);
  return {record.step, folder, record.world_size, record.metadata, {}};
}

}  // namespace

std::optional<LoadReport> CheckpointStore::load_newest(const StateRegistry& registry) {
  const Hdf5Session session;
  chain_.clear();
  VerifiedCommits verified;
  std::string names;
  communicator_.agree([&] {
    if (!communicator_.is_root()) return;
    for (const auto& path : commit_candidates(folder_)) names += path.filename().string() + '/';
  });
  std::vector<std::string> refused;
  for (const auto& name : base::split(communicator_.broadcast_text(names), '/')) {
    if (name.empty()) continue;
    std::optional<LoadReport> report;
    try {
      report = load_folder(communicator_, folder_ / name, registry, shards_, &verified);
    } catch (const comm::AgreedError& error) {
      if (!is_damage(error)) throw named(error, folder_ / name, error.code());
      refused.push_back(fmt::format("{}: {} (rank {} on {})", base::printable(name),
                                    error.message(), error.rank(), error.host()));
      continue;
    }
    communicator_.agree([&] { registry.after_load(); });
    report->refused = std::move(refused);
    return report;
  }
  if (refused.empty()) return std::nullopt;
  throw comm::AgreedError(Error(Code::kCheckpoint,
                                fmt::format("no checkpoint in {} is usable: {}", folder_.string(),
                                            base::join(refused, "; ")),
                                "Restore one from a backup, or start over in another folder"),
                          0, communicator_.broadcast_text(comm::host_name()));
}

LoadReport CheckpointStore::load(const fs::path& step_folder, const StateRegistry& registry) {
  const Hdf5Session session;
  const fs::path folder = step_folder.has_filename() ? step_folder : step_folder.parent_path();
  chain_.clear();
  VerifiedCommits verified;
  LoadReport report;
  try {
    report = load_folder(communicator_, folder, registry, shards_, &verified);
  } catch (const comm::AgreedError& error) {
    throw named(error, folder, is_damage(error) ? Code::kCheckpoint : error.code());
  }
  communicator_.agree([&] { registry.after_load(); });
  return report;
}

}  // namespace tenfold::store
