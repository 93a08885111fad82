// Products with weights in panels: see DecoderKernels.
#pragma once

#include <type_traits>

#include "kernels/decoder_row_loops.hpp"

namespace tenfold::kernels {
namespace {

// Vectors of a panel, and rows that are multiplied with one at a time: all sums, a line of the
// panel and a number of a row stay in registers (32 with AVX-512, 16 else).
#if defined(__AVX512F__)
constexpr int kPanelVectors = 4;
#else
constexpr int kPanelVectors = 2;
#endif
constexpr int kPanelRows = 6;
constexpr std::int64_t kPanel = kPanelVectors * kWide;
static_assert(kPanel <= kRowLanes);
// Panels that a single row is multiplied with at a time, to hide an addition's latency.
constexpr int kRowPanels = 8 / kPanelVectors;

inline std::int64_t place_in_line(const float* /*type*/, std::int64_t column) {
  return column;
}
// Two vectors of a panel's outputs are one vector of words, with the first one's numbers in their
// low halves: then a shift, or a mask, makes float32 of them.
inline std::int64_t place_in_line(const std::uint16_t* /*type*/, std::int64_t column) {
  const std::int64_t vector = column / kWide, lane = column % kWide;
  return 2 * (vector / 2 * kWide + lane) + vector % 2;
}
static_assert(kPanelVectors % 2 == 0);

inline void put(float* to, float value) {
  *to = value;
}
inline void put(std::uint16_t* to, float value) {
  *to = bfloat16_of(value);
}

template <class Weight>
void pack(const float* from, std::int64_t in, std::int64_t out, std::int64_t in_stride,
          std::int64_t out_stride, Weight* packed) {
  for (std::int64_t first = 0; first < out; first += kPanel) {
    const std::int64_t columns = smaller(kPanel, out - first);
    for (std::int64_t i = 0; i < in; ++i, packed += kPanel) {
      const float* const line = from + i * in_stride + first * out_stride;
      for (std::int64_t c = 0; c < kPanel; ++c) {
        put(packed + place_in_line(packed, c), c < columns ? line[c * out_stride] : 0);
      }
    }
  }
}

inline void load_line(const float* line, Vector* weights) {
  TENFOLD_UNROLL
  for (int c = 0; c < kPanelVectors; ++c) weights[c] = load(line + c * kWide);
}
inline void load_line(const std::uint16_t* line, Vector* weights) {
  TENFOLD_UNROLL
  for (int c = 0; c < kPanelVectors; c += 2) {
    Words pair;
    __builtin_memcpy(&pair, line + c * kWide, sizeof pair);
    weights[c] = reinterpret_cast<Vector>(pair << 16);
    weights[c + 1] = reinterpret_cast<Vector>(pair & 0xffff0000U);
  }
}

constexpr int kCacheLine = 64;
template <class Weight>
constexpr int kCacheLines = kPanel* static_cast<int>(sizeof(Weight)) <= kCacheLine
                                ? 1
                                : static_cast<int>(kPanel * sizeof(Weight)) / kCacheLine;
// How far behind what is read a single batch of rows asks for what comes next.
constexpr std::int64_t kAhead = 2048;
// Lines of a panel that stay in the nearest cache, with the rows' numbers, while all rows are
// multiplied with them; and where rows are so many that reading and writing their sums again costs
// more than reading lines from farther away.
constexpr std::int64_t kNearLines = 128, kFarLines = 512, kFewRows = 96;

// Of a product some rows, and some lines of some panels. What will be read next is asked for
// meanwhile: the core's own look-ahead stops while what is near already is gone through.
struct Part {
  ConstRows x, start;
  Rows y;
  std::int64_t lines, columns;
  std::int64_t panel_stride;  // bytes from a panel to the next
  const char* ahead;          // what to ask for along with the first line
  std::int64_t ahead_stride;  // bytes from there to what goes with the next line
};

// What lies behind the columns of y is not ours to read, and start may be y.
inline Vector start_of(const Part& part, int row, std::int64_t column) {
  if (part.start.data == nullptr || column >= part.columns) return Vector{};
  const float* const from = part.start.data + row * part.start.stride + column;
  return load_part(from, part.columns - column);
}

// R rows by Q panels, asking for FETCH cache lines with every line. WIDEN: the lines are left in
// wide as float32.
template <int R, int Q, int FETCH, bool WIDEN, class Weight>
inline void part_product(const Part& part, const Weight* line, float* wide) {
  constexpr int kColumns = Q * kPanelVectors;
  Vector sum[R][kColumns];
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) {
    TENFOLD_UNROLL
    for (int c = 0; c < kColumns; ++c) sum[r][c] = start_of(part, r, c * kWide);
  }
  const std::int64_t panel = part.panel_stride / static_cast<std::int64_t>(sizeof(Weight));
  const char* ahead = part.ahead;
  for (std::int64_t k = 0; k < part.lines; ++k, line += kPanel, ahead += part.ahead_stride) {
    Vector weights[kColumns];
    TENFOLD_UNROLL
    for (int q = 0; q < Q; ++q) {
      TENFOLD_UNROLL
      for (int l = 0; l < FETCH; ++l) {
        __builtin_prefetch(ahead + q * part.panel_stride + l * kCacheLine, 0, 2);
      }
      load_line(line + q * panel, weights + q * kPanelVectors);
    }
    if constexpr (WIDEN) {
      TENFOLD_UNROLL
      for (int c = 0; c < kColumns; ++c) store(wide + k * kPanel + c * kWide, weights[c]);
    }
    TENFOLD_UNROLL
    for (int r = 0; r < R; ++r) {
      const float value = part.x.data[r * part.x.stride + k];
      TENFOLD_UNROLL
      for (int c = 0; c < kColumns; ++c) sum[r][c] += value * weights[c];
    }
  }
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) {
    float* const row = part.y.data + r * part.y.stride;
    TENFOLD_UNROLL
    for (int c = 0; c < kColumns; ++c) {
      const std::int64_t column = c * kWide;
      if (column < part.columns) store_part(row + column, sum[r][c], part.columns - column);
    }
  }
}

inline ConstRows moved(ConstRows rows, std::int64_t row, std::int64_t column) {
  if (rows.data == nullptr) return rows;
  return {rows.data + row * rows.stride + column, rows.stride};
}
inline Rows moved(Rows rows, std::int64_t row, std::int64_t column) {
  return {rows.data + row * rows.stride + column, rows.stride};
}

template <int R, int FETCH, class Weight>
inline void few_rows(std::int64_t rows, const Part& part, const Weight* lines) {
  if constexpr (R > 0) {
    if (rows == R) return part_product<R, 1, FETCH, false>(part, lines, nullptr);
    few_rows<R - 1, FETCH>(rows, part, lines);
  }
}

// More than kPanelRows rows, that many at a time. The first of them bring the lines near, and make
// float32 of them for the others; FETCH cache lines go with a line until all are asked for.
template <int FETCH, class Weight>
inline void many_rows(std::int64_t n, const Part& whole, const Weight* lines, float* wide) {
  constexpr bool kWiden = !std::is_same_v<Weight, float>;
  part_product<kPanelRows, 1, FETCH, kWiden>(whole, lines, wide);
  const float* near = wide;
  if constexpr (!kWiden) near = lines;
  int asked = 0;
  Part part = whole;
  for (std::int64_t r = kPanelRows; r < n; r += kPanelRows) {
    part.x = moved(whole.x, r, 0);
    part.start = moved(whole.start, r, 0);
    part.y = moved(whole.y, r, 0);
    part.ahead += FETCH * kCacheLine;
    asked += FETCH;
    const std::int64_t rows = smaller(kPanelRows, n - r);
    asked < kCacheLines<Weight> ? few_rows<kPanelRows, FETCH>(rows, part, near)
                                : few_rows<kPanelRows, 0>(rows, part, near);
  }
}

template <class Weight>
inline void panel_product(std::int64_t n, Part part, const Weight* lines, float* wide) {
  constexpr int kAll = kCacheLines<Weight>, kHalf = kAll > 1 ? kAll / 2 : 1;
  if (n <= kPanelRows) {
    part.ahead = reinterpret_cast<const char*>(lines + kAhead);
    return few_rows<kPanelRows, kAll>(n, part, lines);
  }
  part.ahead = reinterpret_cast<const char*>(lines + part.lines * kPanel);
  n <= 3 * kPanelRows ? many_rows<kHalf>(n, part, lines, wide) : many_rows<1>(n, part, lines, wide);
}

template <class Weight>
void product(ConstRows x, std::int64_t n, std::int64_t in, const Weight* packed, std::int64_t out,
             ConstRows start, Rows y) {
  constexpr bool kFloat = std::is_same_v<Weight, float>;
  alignas(kCacheLine) float wide[kFloat ? 1 : kFarLines * kPanel];
  constexpr auto kLineBytes = kPanel * static_cast<std::int64_t>(sizeof(Weight));
  Part part{x, start, y, in, 0, in * kLineBytes, nullptr, kLineBytes};
  std::int64_t c = 0;
  if (n == 1) {
    part.columns = kRowPanels * kPanel;
    for (; c + part.columns <= out; c += part.columns) {
      part.start = moved(start, 0, c);
      part.y = moved(y, 0, c);
      part.ahead = reinterpret_cast<const char*>(packed + c * in + kAhead);
      part_product<1, kRowPanels, kCacheLines<Weight>, false>(part, packed + c * in, nullptr);
    }
  }
  std::int64_t most = in;
  if (n > kPanelRows && n <= kFewRows) most = kNearLines;
  if (n > kFewRows && !kFloat) most = kFarLines;
  for (; c < out; c += kPanel) {
    part.columns = smaller(kPanel, out - c);
    part.y = moved(y, 0, c);
    part.start = moved(start, 0, c);
    for (std::int64_t k = 0; k < in; k += most) {
      part.x = moved(x, 0, k);
      part.lines = smaller(most, in - k);
      panel_product(n, part, packed + c * in + k * kPanel, wide);
      part.start = {part.y.data, part.y.stride};
    }
  }
}

}  // namespace
}  // namespace tenfold::kernels
