// Which elements of a flat buffer each rank owns.
#pragma once

#include <cstdint>
#include <vector>

#include "train/shard_plan.hpp"

namespace tenfold::train {

struct Piece {
  std::int64_t begin = 0;  ///< in elements of the buffer
  std::int64_t size = 0;   ///< 0: the buffer ends before it
};

struct Partition {
  std::int64_t length = 0;                 ///< P, elements of the buffer
  std::vector<std::vector<Piece>> pieces;  ///< per rank, ascending; every element is in one
  std::vector<int> sizes;                  ///< elements per rank
};

/// One piece per rank, of nearly equal size.
Partition equal_partition(std::int64_t length, int world);

/// One piece per virtual shard, owned by the shard's rank: what ZeRO-1 keeps of an optimizer moves
/// to another number of ranks like any other state of shards.
Partition shard_partition(std::int64_t length, const ShardPlan& plan);
/// Elements of one shard's piece before the buffer's end: ceil(P / V), a multiple of 16.
std::int64_t shard_piece_size(std::int64_t length, std::size_t shards);

}  // namespace tenfold::train
