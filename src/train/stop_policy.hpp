// When a run leaves its loop early or writes a checkpoint: signals, touch files, deadline,
// --stop-after, the checkpoint schedule. One agreed answer per step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "store/run_directory.hpp"
#include "train/schedule.hpp"

namespace tenfold::train {

struct StopDecision {
  bool stop = false;
  bool checkpoint = false;
  bool local = false;    ///< a node-local checkpoint is due, and no shared one
  bool writing = false;  ///< some rank still writes a checkpoint
  std::string reason;    ///< "SIGUSR2", "STOP file", ...; empty when neither
};

class StopPolicy {
 public:
  /// stop_after may be empty. The deadline is TENFOLD_DEADLINE (seconds since the epoch) of rank 0.
  /// local: how often node-local checkpoints are due; nothing: never.
  StopPolicy(comm::Communicator communicator, const store::RunDirectory* directory,
             const std::string& stop_after, const CheckpointSchedule& checkpoints,
             std::uint64_t first_step, const std::optional<StepsOrTime>& local = {});

  /// Collective; the same answer on all ranks. step_seconds: how long the step took here; writing:
  /// whether this rank still writes a checkpoint.
  StopDecision decide(std::uint64_t before, std::uint64_t after, double step_seconds,
                      bool writing = false);
  /// A checkpoint was begun (also one that then fails): the schedule counts from here.
  void checkpoint_begun() {
    checkpoint_due_.reset();
    local_begun();
  }
  /// The same of a node-local one; until then it stays due.
  void local_begun();
  /// After a checkpoint that took this long to write, for which the run stood still that long.
  void checkpointed(double seconds, double stall_seconds);
  /// A stop may have to wait for a node-local one that takes this long.
  void local_checkpointed(double seconds);

 private:
  std::uint32_t local_bits(std::uint64_t before, std::uint64_t after);

  comm::Communicator communicator_;
  const store::RunDirectory* directory_;
  StepsOrTime stop_after_;
  Due checkpoint_due_;
  std::optional<Due> local_due_;
  bool local_wanted_ = false;  ///< rank 0
  std::uint64_t first_step_;
  double started_, deadline_ = 0, slowest_step_ = 0, slowest_checkpoint_ = 0, slowest_local_ = 0,
                   looked_ = 0;
};

}  // namespace tenfold::train
