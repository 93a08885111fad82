// The loop of every run: step, metrics, evaluation, agreed stopping, checkpoints, progress.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "comm/watchdog.hpp"
#include "store/checkpoint_writer.hpp"
#include "store/run_directory.hpp"
#include "train/experiment.hpp"
#include "train/run_options.hpp"
#include "train/stop_policy.hpp"

namespace tenfold::train {

struct LoopParts {
  RunContext& context;
  Experiment& experiment;
  const RunOptions& options;
  const store::StateRegistry& registry;
  store::CheckpointWriter& writer;
  std::map<std::string, std::string> metadata;  ///< goes into every COMMIT.json
  StopPolicy& stop;
  comm::Watchdog& watchdog;
};

/// Under which COMMIT.json holds the last value of a metric ("metric/eval/return").
inline std::string metric_key(const std::string& metric) {
  return "metric/" + metric;
}

class Loop {
 public:
  explicit Loop(LoopParts parts) : parts_(parts) {}
  /// Runs until total_steps or until told to stop. True: total_steps reached. Collective; throws
  /// Code::kIo when the last checkpoint, or three in a row, could not be written.
  bool run();

 private:
  void save(const std::string& reason, bool last);
  void save_locally();
  void collect();
  void tolerate(bool last, const std::function<void()>& body);
  void tolerate_locally(const std::function<void()>& body);
  void saved(const store::SaveReport& report);
  void saved_locally(const store::SaveReport& report);
  void report_progress(bool force);
  void flush_metrics();
  void published(std::uint64_t before);

  LoopParts parts_;
  std::uint64_t last_saved_ = UINT64_MAX, progress_step_ = 0;
  std::string reason_;  ///< of the checkpoint on its way
  double progress_time_ = 0, saved_time_ = 0, step_rate_ = 0;
  int failures_ = 0;
  unsigned local_failures_ = 0;  ///< in a row
};

}  // namespace tenfold::train
