// One query's attention over keys and values in blocks: see DecoderKernels.
#pragma once

#include "kernels/decoder_row_loops.hpp"

namespace tenfold::kernels {
namespace {

constexpr int kTileVectors = static_cast<int>(kLanes / kWide);

// The keys of a tile of kLanes tokens, of the head that begins at head in every block.
inline const float* tile_keys(const AttentionShape& shape, const float* head,
                              const std::int32_t* blocks, std::int64_t tile) {
  const std::int64_t inside = tile & ((std::int64_t{1} << shape.block_shift) - 1);
  return head + blocks[tile >> shape.block_shift] * shape.block_stride +
         inside * shape.tile_numbers();
}

// Products of q with the keys of T tiles side by side.
template <int T>
inline void tile_scores(const AttentionShape& shape, const float* q, const float* head,
                        const std::int32_t* blocks, std::int64_t tile, float* scores) {
  const float* keys[T];
  Vector sum[T][kTileVectors];
  TENFOLD_UNROLL
  for (int t = 0; t < T; ++t) {
    keys[t] = tile_keys(shape, head, blocks, tile + t);
    TENFOLD_UNROLL
    for (int v = 0; v < kTileVectors; ++v) sum[t][v] = Vector{};
  }
  for (std::int64_t d = 0; d < shape.head_width; ++d) {
    TENFOLD_UNROLL
    for (int t = 0; t < T; ++t) {
      TENFOLD_UNROLL
      for (int v = 0; v < kTileVectors; ++v) {
        sum[t][v] += q[d] * load(keys[t] + d * kLanes + v * kWide);
      }
    }
  }
  TENFOLD_UNROLL
  for (int t = 0; t < T; ++t) {
    TENFOLD_UNROLL
    for (int v = 0; v < kTileVectors; ++v) store(scores + t * kLanes + v * kWide, sum[t][v]);
  }
}

// Tiles begin to stop - 1, as many side by side as registers hold, then half as many, ...
template <int T>
inline void all_scores(const AttentionShape& shape, const float* q, const float* head,
                       const std::int32_t* blocks, std::int64_t begin, std::int64_t stop,
                       float* scores) {
  if constexpr (T > 0) {
    for (; begin + T <= stop; begin += T) {
      tile_scores<T>(shape, q, head, blocks, begin, scores + begin * kLanes);
    }
    all_scores<T / 2>(shape, q, head, blocks, begin, stop, scores);
  }
}

// Softmax without the division, of numbers from to end of whole tiles; what is outside is 0 then.
inline float softened(float* scores, std::int64_t begin, std::int64_t from, std::int64_t end,
                      std::int64_t stop) {
  const float most = largest(scores + from, end - from);
  for (std::int64_t i = begin; i < from; ++i) scores[i] = most;
  for (std::int64_t i = end; i < stop; ++i) scores[i] = most;
  for (std::int64_t i = begin; i < stop; i += kWide) {
    store(scores + i, exponential_value(load(scores + i) - most));
  }
  for (std::int64_t i = begin; i < from; ++i) scores[i] = 0;
  for (std::int64_t i = end; i < stop; ++i) scores[i] = 0;
  Vector sum{};
  for (std::int64_t i = begin; i < stop; i += kWide) sum += load(scores + i);
  return sum_of_lanes(sum);
}

// C vectors of the weighted mean of values from to end - 1. Whole tiles are summed in T parts that
// run side by side; of those that are not, only the tokens that are there may be read.
template <int C, int T>
inline void mix_values(const AttentionShape& shape, const float* head, const std::int32_t* blocks,
                       std::int64_t from, std::int64_t end, const float* weights, float factor,
                       std::int64_t column, float* y) {
  static_assert(kLanes % T == 0);
  Vector sum[T][C];
  TENFOLD_UNROLL
  for (int t = 0; t < T; ++t) clear(sum[t]);
  while (from < end) {
    const std::int64_t inside = from % kLanes, stop = smaller(end, from - inside + kLanes);
    const float* values = tile_keys(shape, head, blocks, from / kLanes) + shape.key_numbers() +
                          inside * shape.value_stride + column;
    if (stop - from == kLanes) {
      for (; from < stop; from += T, values += T * shape.value_stride) {
        TENFOLD_UNROLL
        for (int t = 0; t < T; ++t) {
          TENFOLD_UNROLL
          for (int c = 0; c < C; ++c) {
            sum[t][c] += weights[from + t] * load(values + t * shape.value_stride + c * kWide);
          }
        }
      }
    }
    for (; from < stop; ++from, values += shape.value_stride) {
      TENFOLD_UNROLL
      for (int c = 0; c < C; ++c) sum[0][c] += weights[from] * load(values + c * kWide);
    }
  }
  TENFOLD_UNROLL
  for (int t = 1; t < T; ++t) {
    TENFOLD_UNROLL
    for (int c = 0; c < C; ++c) sum[0][c] += sum[t][c];
  }
  TENFOLD_UNROLL
  for (int c = 0; c < C; ++c) {
    const std::int64_t at = column + c * kWide;
    if (at < shape.head_width) store_part(y + at, sum[0][c] * factor, shape.head_width - at);
  }
}

void attend(const AttentionShape& shape, const float* q, const float* pool,
            const std::int32_t* blocks, std::int64_t first, std::int64_t last, float* scores,
            float* y) {
  const std::int64_t group = shape.heads / shape.kv_heads;
  const std::int64_t begin = first / kLanes, stop = last / kLanes + 1, end = last + 1;
  for (std::int64_t h = 0; h < shape.heads; ++h, q += shape.head_width, y += shape.head_width) {
    const float* const head = pool + h / group * shape.head_numbers();
    all_scores<8 / kTileVectors>(shape, q, head, blocks, begin, stop, scores);
    const float factor = 1.0F / softened(scores, begin * kLanes, first, end, stop * kLanes);
    std::int64_t c = 0;
    for (; c + 8 * kWide <= shape.value_stride; c += 8 * kWide) {
      mix_values<8, 1>(shape, head, blocks, first, end, scores, factor, c, y);
    }
    for (; c + 4 * kWide <= shape.value_stride; c += 4 * kWide) {
      mix_values<4, 2>(shape, head, blocks, first, end, scores, factor, c, y);
    }
    for (; c < shape.value_stride; c += kWide) {
      mix_values<1, 8>(shape, head, blocks, first, end, scores, factor, c, y);
    }
  }
}

}  // namespace
}  // namespace tenfold::kernels
