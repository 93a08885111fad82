// Products with weights in panels: see DecoderKernels.
#pragma once

#include "kernels/decoder_kernels.hpp"
#include "kernels/small_functions.hpp"

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

void pack(const float* from, std::int64_t in, std::int64_t out, std::int64_t in_stride,
          std::int64_t out_stride, float* packed) {
  for (std::int64_t first = 0; first < out; first += kPanel) {
    const std::int64_t columns = smaller(kPanel, out - first);
    for (std::int64_t i = 0; i < in; ++i, packed += kPanel) {
      const float* const line = from + i * in_stride + first * out_stride;
      for (std::int64_t c = 0; c < columns; ++c) packed[c] = line[c * out_stride];
      for (std::int64_t c = columns; c < kPanel; ++c) packed[c] = 0;
    }
  }
}

// A line of a panel in cache lines, and how it is asked for before its panel is read: the core's
// own look-ahead does not cross panels, and stops while a panel already near is gone through.
constexpr int kLine = 16;
constexpr int kPanelLines = kPanel < kLine ? 1 : static_cast<int>(kPanel / kLine);

// R rows by Q whole panels, or one whose last columns are missing. Meanwhile AHEAD cache lines of
// each line of the panel that begins at ahead are fetched.
template <int R, int Q, int AHEAD>
inline void panel_block(ConstRows x, std::int64_t in, const float* packed, const float* ahead,
                        ConstRows start, Rows y, std::int64_t columns) {
  constexpr int kColumns = Q * kPanelVectors;
  Vector sum[R][kColumns];
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) {
    TENFOLD_UNROLL
    for (int c = 0; c < kColumns; ++c) {
      sum[r][c] =
          start.data == nullptr ? Vector{} : load(start.data + r * start.stride + c * kWide);
    }
  }
  for (std::int64_t k = 0; k < in; ++k, packed += kPanel, ahead += kPanel) {
    TENFOLD_UNROLL
    for (int l = 0; l < AHEAD; ++l) __builtin_prefetch(ahead + l * kLine, 0, 2);
    Vector weights[kColumns];
    TENFOLD_UNROLL
    for (int q = 0; q < Q; ++q) {
      TENFOLD_UNROLL
      for (int c = 0; c < kPanelVectors; ++c) {
        weights[q * kPanelVectors + c] = load(packed + q * in * kPanel + c * kWide);
      }
    }
    TENFOLD_UNROLL
    for (int r = 0; r < R; ++r) {
      const float value = x.data[r * x.stride + k];
      TENFOLD_UNROLL
      for (int c = 0; c < kColumns; ++c) sum[r][c] += value * weights[c];
    }
  }
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) {
    float* const row = y.data + r * y.stride;
    TENFOLD_UNROLL
    for (int c = 0; c < kColumns; ++c) {
      if (c * kWide < columns) store_part(row + c * kWide, sum[r][c], columns - c * kWide);
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

template <int R, int AHEAD>
inline void rest_block(std::int64_t rows, ConstRows x, std::int64_t in, const float* packed,
                       const float* ahead, ConstRows start, Rows y, std::int64_t columns) {
  if constexpr (R > 0) {
    if (rows == R) return panel_block<R, 1, AHEAD>(x, in, packed, ahead, start, y, columns);
    rest_block<R - 1, AHEAD>(rows, x, in, packed, ahead, start, y, columns);
  }
}

// One panel for all rows; the panel behind is fetched in as many parts as there are blocks of rows.
template <int AHEAD>
inline void panel_rows(ConstRows x, std::int64_t n, std::int64_t in, const float* panel,
                       ConstRows start, Rows y, std::int64_t columns) {
  std::int64_t r = 0;
  int line = 0;
  const auto ahead = [&] {
    // What was fetched already is near: asking again costs little.
    const int from = line < kPanelLines ? line : 0;
    line += AHEAD;
    return panel + in * kPanel + from * kLine;
  };
  for (; r + kPanelRows <= n; r += kPanelRows) {
    panel_block<kPanelRows, 1, AHEAD>(moved(x, r, 0), in, panel, ahead(), moved(start, r, 0),
                                      moved(y, r, 0), columns);
  }
  if (r < n) {
    rest_block<kPanelRows - 1, AHEAD>(n - r, moved(x, r, 0), in, panel, ahead(), moved(start, r, 0),
                                      moved(y, r, 0), columns);
  }
}

void product(ConstRows x, std::int64_t n, std::int64_t in, const float* packed, std::int64_t out,
             ConstRows start, Rows y) {
  constexpr int kHalf = kPanelLines > 1 ? kPanelLines / 2 : 1;
  std::int64_t c = 0;
  if (n == 1) {
    constexpr std::int64_t kStep = kRowPanels * kPanel;
    for (; c + kStep <= out; c += kStep) {
      panel_block<1, kRowPanels, 0>(x, in, packed + c * in, packed, moved(start, 0, c),
                                    moved(y, 0, c), kStep);
    }
  }
  for (; c < out; c += kPanel) {
    const float* const panel = packed + c * in;
    const std::int64_t columns = smaller(kPanel, out - c);
    const ConstRows from = moved(start, 0, c);
    const Rows to = moved(y, 0, c);
    if (n <= kPanelRows) {
      panel_rows<0>(x, n, in, panel, from, to, columns);
    } else if (n <= 3 * kPanelRows) {
      panel_rows<kHalf>(x, n, in, panel, from, to, columns);
    } else {
      panel_rows<1>(x, n, in, panel, from, to, columns);
    }
  }
}

}  // namespace
}  // namespace tenfold::kernels
