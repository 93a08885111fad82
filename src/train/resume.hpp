// Phase 5 of a run's life: where it starts.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "comm/communicator.hpp"
#include "store/checkpoint_store.hpp"
#include "store/local_checkpoints.hpp"

namespace tenfold::train {

struct StartPoint {
  std::uint64_t step = 0;
  bool resumed = false;
  std::string description;  ///< for the banner and the event
};

/// Collective. how is --resume: auto, none or a path (a checkpoint, its folder or a run). config is
/// this run's result-affecting configuration (JSON); differences from the checkpoint's are warned
/// of. local is the node-local level, nullptr when it is off; auto takes its newest step that all
/// ranks can verify and that is newer than the shared ones, and says why not when it does not.
/// Never starts over silently: a folder with checkpoints of which none is usable is
/// Code::kCheckpoint, --resume none in a run that has checkpoints is Code::kUsage.
StartPoint restore(const comm::Communicator& communicator, store::CheckpointStore& checkpoints,
                   store::LocalCheckpoints* local, const store::StateRegistry& registry,
                   const std::string& how, const std::string& config);

}  // namespace tenfold::train
