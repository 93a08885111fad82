// Checkpoints written while the run goes on: the loop stands still for one copy of the state, a
// thread of its own does the rest.
#pragma once

#include <future>
#include <map>
#include <string>
#include <vector>

#include "store/checkpoint_store.hpp"
#include "store/local_checkpoints.hpp"
#include "store/state_snapshot.hpp"

namespace tenfold::store {

enum class Level { kShared, kLocal };

/// At most one checkpoint, of either level, is on its way. The stores belong to the writing thread
/// meanwhile: nothing else may use them between begin and collect.
class CheckpointWriter {
 public:
  /// background false: begin writes at once, from the state itself, without a copy. local: where
  /// Level::kLocal goes, told of every shared checkpoint; nullptr: there is no such level.
  CheckpointWriter(comm::Communicator communicator, CheckpointStore& store,
                   std::vector<std::size_t> mine, bool background,
                   LocalCheckpoints* local = nullptr)
      : communicator_(std::move(communicator)),
        store_(store),
        local_(local),
        mine_(std::move(mine)),
        background_(background) {}
  ~CheckpointWriter();  ///< waits for what is on its way
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Collective. Starts a checkpoint; none may be on its way. Throws the same error on all ranks
  /// when the state cannot be copied; all other errors come from collect.
  void begin(std::uint64_t step, const StateRegistry& registry,
             const std::map<std::string, std::string>& metadata, Level level = Level::kShared);
  bool in_flight() const { return result_.valid(); }  ///< the same on all ranks
  Level level() const { return level_; }              ///< of the one that was begun last
  /// Whether this rank's part has ended; others may still be writing.
  bool ended() const;
  /// Collective. Waits, then returns what CheckpointStore::save returned or throws what it threw;
  /// of node-local parts the sum of bytes and the longest time, or the first failing rank's error.
  /// stall_seconds holds the copy and the wait.
  SaveReport collect();

 private:
  SaveReport write(std::uint64_t step, const StateRegistry& state,
                   const std::map<std::string, std::string>& metadata);
  SaveReport collect_parts();

  comm::Communicator communicator_;
  CheckpointStore& store_;
  LocalCheckpoints* local_;
  std::vector<std::size_t> mine_;
  bool background_;
  StateSnapshot snapshot_;
  std::future<SaveReport> result_;
  Level level_ = Level::kShared;
  std::uint64_t step_ = 0;
  double stall_s_ = 0;
};

}  // namespace tenfold::store
