// When a run leaves its loop early or writes a checkpoint: signals, touch files, deadline,
// --stop-after, the checkpoint schedule. One agreed answer per step.
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.hpp"
#include "store/run_directory.hpp"
#include "train/schedule.hpp"

namespace tenfold::train {

struct StopDecision {
  bool stop = false;
  bool checkpoint = false;
  std::string reason;  ///< "SIGUSR2", "STOP file", ...; empty when neither
};

class StopPolicy {
 public:
  /// stop_after may be empty. The deadline is TENFOLD_DEADLINE (seconds since the epoch) of rank 0.
  StopPolicy(comm::Communicator communicator, const store::RunDirectory* directory,
             const std::string& stop_after, const std::string& checkpoint_every,
             std::uint64_t first_step);

  /// Collective; the same answer on all ranks. step_seconds: how long the step took here.
  StopDecision decide(std::uint64_t before, std::uint64_t after, double step_seconds);
  /// After a checkpoint that took this long.
  void checkpointed(double seconds);

 private:
  std::uint32_t local_bits(std::uint64_t before, std::uint64_t after);

  comm::Communicator communicator_;
  const store::RunDirectory* directory_;
  StepsOrTime stop_after_;
  Due checkpoint_due_;
  std::uint64_t first_step_;
  double started_, deadline_ = 0, slowest_step_ = 0, slowest_checkpoint_ = 0, looked_ = 0;
};

}  // namespace tenfold::train
