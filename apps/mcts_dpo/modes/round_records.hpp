// What a round's work has given so far, on all ranks alike, and in checkpoints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "store/state_registry.hpp"
#include "train/shard_plan.hpp"

namespace tenfold::mcts_dpo {

using Bytes = std::vector<std::byte>;

/// One question's record: finished, or unfinished work that goes on from there.
struct Record {
  std::uint64_t position = 0;  ///< of the question, in its round
  Bytes bytes;
};

class RoundRecords {
 public:
  /// The most that the unfinished and finished records of a virtual shard may take in a checkpoint.
  static constexpr std::size_t kShardBytes = std::size_t{256} << 20;

  RoundRecords(std::size_t questions, const train::ShardPlan& shards);

  std::size_t questions() const { return finished_.size(); }
  std::size_t done() const { return done_; }
  bool has(std::size_t position) const { return !finished_[position].empty(); }
  std::span<const std::byte> finished(std::size_t position) const { return finished_[position]; }
  /// Unfinished work of all ranks as of the last gather, in order of positions.
  const std::vector<Record>& unfinished() const { return unfinished_; }

  /// Collective: takes what all ranks have finished since the last call and what they have under
  /// way.
  void gather(const comm::Communicator& world, std::span<const Record> finished,
              std::span<const Record> unfinished);
  /// Collective, once after a load: brings every rank what the others have read.
  void share_loaded(const comm::Communicator& world);
  void clear();
  /// Exchanges what both hold; each keeps its place in checkpoints.
  void swap(RoundRecords& other);
  /// Names both below prefix, as state of virtual shards: question p is shard p % V's.
  void state(store::StateRegistry& registry, const std::string& prefix);

 private:
  void store();
  void load();
  static std::vector<Record> exchange(const comm::Communicator& world,
                                      std::span<const Record> mine);

  const train::ShardPlan& shards_;
  std::vector<Bytes> finished_;
  std::vector<Record> unfinished_;
  std::size_t done_ = 0;
  /// Of each local shard; memory that is not touched costs nothing.
  std::vector<std::unique_ptr<std::byte[]>> stored_;
  std::vector<std::uint64_t> stored_bytes_;
  std::uint64_t stored_done_ = 0;
  std::vector<Record> loaded_, loaded_unfinished_;
};

}  // namespace tenfold::mcts_dpo
