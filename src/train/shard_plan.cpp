#include "train/shard_plan.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::train {

ShardPlan make_shard_plan(std::int64_t shards, int world, int rank) {
  if (shards % world != 0) {
    std::vector<std::string> counts;
    for (std::int64_t count = 1; count <= shards; ++count) {
      if (shards % count == 0) counts.push_back(std::to_string(count));
    }
    throw base::Error(
        base::Code::kUsage,
        fmt::format("{} ranks cannot share {} virtual shards evenly (parallel.virtual-shards)",
                    world, shards),
        fmt::format("Start {} ranks, or set --virtual-shards to a multiple of {} (that changes the "
                    "results and is recorded)",
                    base::join(counts, ", "), world));
  }
  return spread_shards(static_cast<std::size_t>(shards), world, rank);
}

ShardPlan spread_shards(std::size_t shards, int world, int rank) {
  ShardPlan plan;
  plan.shards = shards;
  plan.world = world;
  plan.rank = rank;
  for (std::size_t shard = static_cast<std::size_t>(rank); shard < plan.shards;
       shard += static_cast<std::size_t>(world)) {
    plan.mine.push_back(shard);
  }
  return plan;
}

}  // namespace tenfold::train
