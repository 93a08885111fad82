// One query's attention over keys and values in blocks: see DecoderKernels.
#pragma once

#include "kernels/decoder_row_loops.hpp"

namespace tenfold::kernels {
namespace {

constexpr int kTileVectors = static_cast<int>(kLanes / kWide);

// Where a tile of kLanes tokens begins: its keys, and the values of its first token.
struct Tile {
  const float *keys, *values;
};
inline Tile tile_at(const AttentionShape& shape, const float* head, const std::int32_t* blocks,
                    std::int64_t tile) {
  const std::int64_t token = tile * kLanes, inside = token % shape.block_tokens;
  const float* const block = head + blocks[token / shape.block_tokens] * shape.block_stride;
  return {block + inside * shape.head_width,
          block + shape.key_numbers() + inside * shape.value_stride};
}

// Products of q with the keys of T tiles side by side.
template <int T>
inline void tile_scores(const AttentionShape& shape, const float* q, const float* head,
                        const std::int32_t* blocks, std::int64_t tile, float* scores) {
  const float* keys[T];
  Vector sum[T][kTileVectors];
  TENFOLD_UNROLL
  for (int t = 0; t < T; ++t) {
    keys[t] = tile_at(shape, head, blocks, tile + t).keys;
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

// C vectors of the weighted mean of values from to end - 1.
template <int C>
inline void mix_values(const AttentionShape& shape, const float* head, const std::int32_t* blocks,
                       std::int64_t from, std::int64_t end, const float* weights, float factor,
                       std::int64_t column, float* y) {
  Vector sum[C];
  clear(sum);
  for (std::int64_t t = from; t < end;) {
    const std::int64_t inside = t % kLanes, stop = smaller(end, t - inside + kLanes);
    const float* values =
        tile_at(shape, head, blocks, t / kLanes).values + inside * shape.value_stride + column;
    for (; t < stop; ++t, values += shape.value_stride) {
      TENFOLD_UNROLL
      for (int c = 0; c < C; ++c) sum[c] += weights[t] * load(values + c * kWide);
    }
  }
  TENFOLD_UNROLL
  for (int c = 0; c < C; ++c) {
    const std::int64_t at = column + c * kWide;
    if (at < shape.head_width) store_part(y + at, sum[c] * factor, shape.head_width - at);
  }
}

void attend(const AttentionShape& shape, const float* q, const float* pool,
            const std::int32_t* blocks, std::int64_t first, std::int64_t last, float* scores,
            float* y) {
  constexpr int kTiles = 8 / kTileVectors < 4 ? 8 / kTileVectors : 4;
  const std::int64_t group = shape.heads / shape.kv_heads;
  const std::int64_t begin = first / kLanes, stop = last / kLanes + 1;
  for (std::int64_t h = 0; h < shape.heads; ++h, q += shape.head_width, y += shape.head_width) {
    const float* const head = pool + h / group * shape.head_numbers();
    std::int64_t tile = begin;
    for (; tile + kTiles <= stop; tile += kTiles) {
      tile_scores<kTiles>(shape, q, head, blocks, tile, scores + tile * kLanes);
    }
    for (; tile < stop; ++tile) {
      tile_scores<1>(shape, q, head, blocks, tile, scores + tile * kLanes);
    }
    const float factor = 1.0F / softened(scores, begin * kLanes, first, last + 1, stop * kLanes);
    std::int64_t c = 0;
    for (; c + 8 * kWide <= shape.value_stride; c += 8 * kWide) {
      mix_values<8>(shape, head, blocks, first, last + 1, scores, factor, c, y);
    }
    for (; c + 4 * kWide <= shape.value_stride; c += 4 * kWide) {
      mix_values<4>(shape, head, blocks, first, last + 1, scores, factor, c, y);
    }
    for (; c < shape.value_stride; c += kWide) {
      mix_values<1>(shape, head, blocks, first, last + 1, scores, factor, c, y);
    }
  }
}

}  // namespace
}  // namespace tenfold::kernels
