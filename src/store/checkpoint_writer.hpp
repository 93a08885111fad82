// Checkpoints written while the run goes on: the loop stands still for one copy of the state, a
// thread of its own does the rest.
#pragma once

#include <future>
#include <map>
#include <string>
#include <vector>

#include "store/checkpoint_store.hpp"
#include "store/state_snapshot.hpp"

namespace tenfold::store {

/// At most one checkpoint is on its way. The store's communicator belongs to the writing thread
/// meanwhile: nothing else may use the store between begin and collect.
class CheckpointWriter {
 public:
  /// background false: begin writes at once, from the state itself, without a copy.
  CheckpointWriter(comm::Communicator communicator, CheckpointStore& store,
                   std::vector<std::size_t> mine, bool background)
      : communicator_(std::move(communicator)),
        store_(store),
        mine_(std::move(mine)),
        background_(background) {}
  ~CheckpointWriter();  ///< waits for what is on its way
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Collective. Starts a checkpoint; none may be on its way. Throws the same error on all ranks
  /// when the state cannot be copied; all other errors come from collect.
  void begin(std::uint64_t step, const StateRegistry& registry,
             const std::map<std::string, std::string>& metadata);
  bool in_flight() const { return result_.valid(); }  ///< the same on all ranks
  /// Whether this rank's part has ended; others may still be writing.
  bool ended() const;
  /// Every rank must call it. Waits, then returns what CheckpointStore::save returned or throws
  /// what it threw.
  SaveReport collect();

 private:
  comm::Communicator communicator_;
  CheckpointStore& store_;
  std::vector<std::size_t> mine_;
  bool background_;
  StateSnapshot snapshot_;
  std::future<SaveReport> result_;
  double stall_s_ = 0;
};

}  // namespace tenfold::store
