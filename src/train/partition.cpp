#include "train/partition.hpp"

#include <algorithm>

namespace tenfold::train {

namespace {

void count_sizes(Partition& partition) {
  for (const std::vector<Piece>& pieces : partition.pieces) {
    std::int64_t size = 0;
    for (const Piece& piece : pieces) size += piece.size;
    partition.sizes.push_back(static_cast<int>(size));
  }
}

}  // namespace

Partition equal_partition(std::int64_t length, int world) {
  Partition partition{.length = length, .pieces = {}, .sizes = {}};
  for (int rank = 0; rank < world; ++rank) {
    const std::int64_t begin = length * rank / world;
    partition.pieces.push_back({{begin, length * (rank + 1) / world - begin}});
  }
  count_sizes(partition);
  return partition;
}

std::int64_t shard_piece_size(std::int64_t length, std::size_t shards) {
  constexpr std::int64_t kCacheLine = 16;
  const auto count = static_cast<std::int64_t>(shards);
  const std::int64_t size = (length + count - 1) / count;
  return (size + kCacheLine - 1) / kCacheLine * kCacheLine;
}

Partition shard_partition(std::int64_t length, const ShardPlan& plan) {
  Partition partition{
      .length = length,
      .pieces = std::vector<std::vector<Piece>>(static_cast<std::size_t>(plan.world)),
      .sizes = {}};
  const std::int64_t size = shard_piece_size(length, plan.shards);
  for (std::size_t shard = 0; shard < plan.shards; ++shard) {
    const std::int64_t begin = std::min(length, static_cast<std::int64_t>(shard) * size);
    partition.pieces[shard % static_cast<std::size_t>(plan.world)].push_back(
        {begin, std::min(size, length - begin)});
  }
  count_sizes(partition);
  return partition;
}

}  // namespace tenfold::train
