// Virtual shards: the fixed number of data streams that a run's results depend on, spread over
// however many ranks there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tenfold::train {

struct ShardPlan {
  std::size_t shards = 8;         ///< V, over all ranks
  int world = 1;                  ///< ranks that the shards are spread over
  int rank = 0;                   ///< this one, among those
  std::vector<std::size_t> mine;  ///< global numbers of this rank's shards: s % world == rank

  std::size_t local() const { return mine.size(); }
  /// Position of a global shard in mine; the shard must be this rank's.
  std::size_t local_index(std::size_t shard) const {
    return shard / static_cast<std::size_t>(world);
  }
};

/// Throws Code::kUsage when world does not divide shards, listing the counts that do.
ShardPlan make_shard_plan(std::int64_t shards, int world, int rank);
/// The same rule for ranks that need no equal parts, since they do not sum over shards together
/// (acting, evaluations): some hold a shard more than others, or none.
ShardPlan spread_shards(std::size_t shards, int world, int rank);

}  // namespace tenfold::train
