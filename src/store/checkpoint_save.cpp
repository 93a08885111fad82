// CheckpointStore::save: the order of the commit protocol (docs/architecture.md), every arrow a
// named fault point.
#include <algorithm>
#include <span>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/fault.hpp"
#include "store/checkpoint_commit.hpp"
#include "store/checkpoint_layout.hpp"
#include "store/checkpoint_store.hpp"
#include "store/hid.hpp"

namespace tenfold::store {

using base::Error;

namespace {

/// Room for headers and attributes beside the data, per field.
constexpr std::uint64_t kFieldOverhead = 2048;

/// last_bytes: of the last checkpoint of the same kind; 0: there was none.
std::uint64_t needed_bytes(const StateLayout& layout, std::uint64_t last_bytes) {
  const std::uint64_t expected = layout.bytes + kFieldOverhead * layout.fields.size() + (64U << 10);
  const std::uint64_t most = std::max(expected, last_bytes);
  return most + most / 5;
}

bool holds_only_new_rows(const StateRegistry& registry) {
  return std::any_of(registry.fields().begin(), registry.fields().end(),
                     [](const StateField& field) { return field.held_from != nullptr; });
}

/// A checkpoint that is safe already must not be reported as failed because an old one would not
/// go.
void prune_with_warning(const std::filesystem::path& folder, std::uint64_t step,
                        const RetentionPolicy& retention) {
  try {
    comm::fault_point("ckpt.before_prune");
    prune_checkpoints(folder, step, retention);
    comm::fault_point("ckpt.after_prune");
  } catch (const Error& error) {
    base::log_warning("checkpoint {} is written, but old ones could not be removed: {}",
                      step_name(step), error.message());
  }
}

}  // namespace

CheckpointStore::CheckpointStore(comm::Communicator communicator, std::filesystem::path folder,
                                 ShardMap shards, RetentionPolicy retention)
    : communicator_(std::move(communicator)),
      folder_(std::move(folder)),
      shards_(std::move(shards)),
      retention_(std::move(retention)) {
  std::sort(shards_.mine.begin(), shards_.mine.end());
}

bool CheckpointStore::extends_chain(std::uint64_t step, const StateRegistry& registry,
                                    const StateLayout& layout) const {
  if (!registry.increments() || !chain_.accepts(step, layout)) return false;
  const bool gone = communicator_.is_root() && !has_members(folder_, chain_.members());
  return communicator_.all_reduce(std::uint64_t{gone}, comm::Op::kMax) == 0;
}

std::optional<RingCounts> CheckpointStore::ring_base(std::uint64_t step,
                                                     const StateRegistry& registry) const {
  if (!registry.increments()) return std::nullopt;
  const StateLayout layout = plan_layout(communicator_, registry, shards_);
  if (!extends_chain(step, registry, layout)) return std::nullopt;
  return chain_.counts();
}

SaveReport CheckpointStore::save(std::uint64_t step, const StateRegistry& registry,
                                 const std::map<std::string, std::string>& metadata) {
  const Hdf5Session session;
  const base::Stopwatch watch;
  const bool root = communicator_.is_root();
  communicator_.agree([&] { registry.before_save(); });
  StateLayout layout = plan_layout(communicator_, registry, shards_);
  const bool increment = extends_chain(step, registry, layout);
  if (increment) keep_new_rows(chain_.counts(), &layout);
  std::uint64_t& last_bytes = increment ? last_increment_bytes_ : last_bytes_;

  PendingCheckpoint pending(folder_, step);
  CommitRecord record;
  record.step = step;
  record.world_size = communicator_.size();
  record.shards = shards_.shards;
  if (increment) record.needs = chain_.members();
  record.metadata = metadata;
  try {
    communicator_.agree([&] {
      if (!increment && holds_only_new_rows(registry)) {
        throw Error(base::Code::kIo,
                    "checkpoints that this one builds on have gone from the folder",
                    "The next one is a full one");
      }
      comm::fault_point("ckpt.before_create");
      if (root) pending.prepare(needed_bytes(layout, last_bytes));
    });
    digest_state(communicator_, shards_, registry.copies_count(), &layout);
    communicator_.agree([&] {
      if (root) write_layout(pending.state_file(), step, layout, registry);
    });
    write_shards(communicator_, pending.state_file(), layout);
    communicator_.agree([&] {
      if (!root) return;
      record.created_utc = base::utc_timestamp();
      pending.commit(&record);
    });
  } catch (const Error&) {
    if (root) pending.withdraw();
    communicator_.barrier();
    throw;
  }
  if (root) prune_with_warning(folder_, step, retention_);
  last_bytes = record.bytes;
  communicator_.broadcast(std::span<std::uint64_t>(&last_bytes, 1));
  chain_.add({step, record.sha256}, layout);
  const double seconds = watch.seconds();
  return {step, last_bytes, seconds, seconds, pending.final_path()};
}

}  // namespace tenfold::store
