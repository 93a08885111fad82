#include "store/checkpoint_writer.hpp"

#include <chrono>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace tenfold::store {

CheckpointWriter::~CheckpointWriter() {
  if (result_.valid()) result_.wait();
}

void CheckpointWriter::begin(std::uint64_t step, const StateRegistry& registry,
                             const std::map<std::string, std::string>& metadata) {
  base::require(!result_.valid(), "CheckpointWriter::begin: one is on its way");
  const base::Stopwatch watch;
  if (!background_) {
    std::promise<SaveReport> written;
    result_ = written.get_future();
    try {
      written.set_value(store_.save(step, registry, metadata));
    } catch (...) {
      written.set_exception(std::current_exception());
    }
    stall_s_ = watch.seconds();
    return;
  }
  communicator_.agree([&] { snapshot_.take(registry, mine_); });
  stall_s_ = watch.seconds();
  result_ = std::async(std::launch::async, [this, step, metadata] {
    return store_.save(step, snapshot_.registry(), metadata);
  });
}

bool CheckpointWriter::ended() const {
  return !result_.valid() || result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

SaveReport CheckpointWriter::collect() {
  base::require(result_.valid(), "CheckpointWriter::collect: none is on its way");
  SaveReport report = result_.get();
  report.stall_seconds = stall_s_;
  return report;
}

}  // namespace tenfold::store
