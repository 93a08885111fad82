#include "store/checkpoint_writer.hpp"

#include <chrono>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace tenfold::store {

CheckpointWriter::~CheckpointWriter() {
  if (result_.valid()) result_.wait();
}

// In the background for either level; removing what a newer shared checkpoint made useless is part
// of its writing.
SaveReport CheckpointWriter::write(std::uint64_t step, const StateRegistry& state,
                                   const std::map<std::string, std::string>& metadata) {
  if (level_ == Level::kLocal) return local_->save(step, state, metadata);
  SaveReport report = store_.save(step, state, metadata);
  if (local_ != nullptr) local_->superseded();
  return report;
}

void CheckpointWriter::begin(std::uint64_t step, const StateRegistry& registry,
                             const std::map<std::string, std::string>& metadata, Level level) {
  base::require(!result_.valid(), "CheckpointWriter::begin: one is on its way");
  base::require(level == Level::kShared || local_ != nullptr,
                "CheckpointWriter::begin: there is no node-local level");
  const base::Stopwatch watch;
  level_ = level;
  step_ = step;
  if (!background_) {
    std::promise<SaveReport> written;
    result_ = written.get_future();
    try {
      written.set_value(write(step, registry, metadata));
    } catch (...) {
      written.set_exception(std::current_exception());
    }
    stall_s_ = watch.seconds();
    return;
  }
  // Parts of nodes are whole: only the shared level has what newer rows could build on.
  const auto base = level == Level::kShared ? store_.ring_base(step, registry) : std::nullopt;
  communicator_.agree([&] { snapshot_.take(registry, mine_, base ? &*base : nullptr); });
  stall_s_ = watch.seconds();
  result_ = std::async(std::launch::async, [this, step, metadata] {
    return write(step, snapshot_.registry(), metadata);
  });
}

bool CheckpointWriter::ended() const {
  return !result_.valid() || result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

SaveReport CheckpointWriter::collect() {
  base::require(result_.valid(), "CheckpointWriter::collect: none is on its way");
  const base::Stopwatch watch;
  SaveReport report;
  if (level_ == Level::kLocal) {
    report = collect_parts();
  } else {
    report = result_.get();
    if (local_ != nullptr) local_->rebase(report.path);
  }
  report.stall_seconds = stall_s_ + watch.seconds();
  return report;
}

// Ranks wrote on their own: here they learn of each other.
SaveReport CheckpointWriter::collect_parts() {
  SaveReport report;
  try {
    communicator_.agree([&] { report = result_.get(); });
  } catch (const comm::AgreedError&) {
    local_->withdraw(step_);
    throw;
  }
  report.bytes = communicator_.all_reduce(report.bytes, comm::Op::kSum);
  report.seconds = communicator_.all_reduce(report.seconds, comm::Op::kMax);
  return report;
}

}  // namespace tenfold::store
