// Virtual shards: the fixed number of data streams that a run's results depend on, spread over
// however many ranks there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tenfold::train {

struct ShardPlan {
  std::size_t shards = 8;  ///< V, over all ranks
  int world = 1;
  int rank = 0;
  std::vector<std::size_t> mine;  ///< global numbers of this rank's shards: s % world == rank

  std::size_t local() const { return mine.size(); }
  /// Position of a global shard in mine; the shard must be this rank's.
  std::size_t local_index(std::size_t shard) const {
    return shard / static_cast<std::size_t>(world);
  }
};

/// Throws Code::kUsage when world does not divide shards, listing the counts that do.
ShardPlan make_shard_plan(std::int64_t shards, int world, int rank);

}  // namespace tenfold::train
