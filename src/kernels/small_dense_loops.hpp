// Products of rows with a weight [in, out]: see SmallProducts.
#pragma once

#include "kernels/small_conv_loops.hpp"

namespace tenfold::kernels {
namespace {

// Whether to look for zeros: they must be so many that they can be foreseen.
inline bool is_mostly_zero(ConstRows x, std::int64_t n, std::int64_t in) {
  constexpr std::int64_t kShare = 4;
  std::int64_t found = 0;
  for (std::int64_t r = 0; r < n; ++r) {
    const float* const row = x.data + r * x.stride;
    for (std::int64_t i = 0; i < in; ++i) found += static_cast<std::int64_t>(is_nonzero(row[i]));
  }
  return found * kShare < n * in;
}

// C vectors of one row's outputs; the last of them has only last lanes.
template <int C>
inline void forward_block(const float* x, const std::int32_t* list, std::int64_t count,
                          const float* w, std::int64_t out, const float* start, float* y,
                          std::int64_t last) {
  Vector sum[C];
  TENFOLD_UNROLL
  for (int c = 0; c < C; ++c) sum[c] = load(start + c * kWide);
  for (std::int64_t k = 0; k < count; ++k) {
    const float* const row = w + list[k] * out;
    const float value = x[list[k]];
    TENFOLD_UNROLL
    for (int c = 0; c < C; ++c) sum[c] += value * load(row + c * kWide);
  }
  TENFOLD_UNROLL
  for (int c = 0; c + 1 < C; ++c) store(y + c * kWide, sum[c]);
  store_part(y + (C - 1) * kWide, sum[C - 1], last);
}

// Few outputs: one vector, all inputs, four sums.
template <class V>
inline void forward_narrow(const float* x, std::int64_t in, const float* w, std::int64_t out,
                           const float* start, float* y) {
  V sum[4] = {load<V>(start), V{}, V{}, V{}};
  std::int64_t i = 0;
  for (; i + 4 <= in; i += 4) {
    for (int k = 0; k < 4; ++k) sum[k] += x[i + k] * load<V>(w + (i + k) * out);
  }
  for (; i < in; ++i) sum[0] += x[i] * load<V>(w + i * out);
  store_part(y, (sum[0] + sum[1]) + (sum[2] + sum[3]), out);
}

void forward(ConstRows x, std::int64_t n, std::int64_t in, const float* w, std::int64_t out,
             ConstRows start, Rows y, std::int32_t* list) {
  if (out > kWide && n >= kBlock && !is_mostly_zero(x, n, in)) {
    // The weight is read once for several rows: a convolution whose every patch is a row.
    for (std::int64_t r = 0; r < n; ++r) list[r] = static_cast<std::int32_t>(r * x.stride);
    return conv_rows({0, in, 1, 1, 1, n, out}, list, x.data, w, start, y);
  }
  for (std::int64_t r = 0; r < n; ++r) {
    const float* const xr = x.data + r * x.stride;
    const float* const from = start.data + r * start.stride;
    float* const yr = y.data + r * y.stride;
    if (out <= 4) {
      forward_narrow<Quad>(xr, in, w, out, from, yr);
      continue;
    }
    if (out <= kWide) {
      forward_narrow<Vector>(xr, in, w, out, from, yr);
      continue;
    }
    const std::int64_t count = nonzeros(xr, in, list);
    std::int64_t c = 0;
    for (; c + kBlock * kWide <= out; c += kBlock * kWide) {
      forward_block<kBlock>(xr, list, count, w + c, out, from + c, yr + c, kWide);
    }
    for (; c + kBlock / 2 * kWide <= out; c += kBlock / 2 * kWide) {
      forward_block<kBlock / 2>(xr, list, count, w + c, out, from + c, yr + c, kWide);
    }
    for (; c < out; c += kWide) {
      forward_block<1>(xr, list, count, w + c, out, from + c, yr + c, smaller(kWide, out - c));
    }
  }
}

// One row of the gradient: from the count rows in list, or, without one, from rows 0 to count - 1.
template <int C, bool kListed>
inline void outer_block(const float* x, std::int64_t x_stride, const std::int32_t* list,
                        std::int64_t count, ConstRows dy, float* dw, std::int64_t last) {
  Vector sum[C];
  clear(sum);
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t r = kListed ? list[k] : k;
    const float value = x[r * x_stride];
    const float* const row = dy.data + r * dy.stride;
    TENFOLD_UNROLL
    for (int c = 0; c < C; ++c) sum[c] += value * load(row + c * kWide);
  }
  TENFOLD_UNROLL
  for (int c = 0; c + 1 < C; ++c) store(dw + c * kWide, sum[c]);
  store_part(dw + (C - 1) * kWide, sum[C - 1], last);
}

template <bool kListed>
inline void outer_row(const float* x, std::int64_t x_stride, const std::int32_t* list,
                      std::int64_t count, ConstRows dy, std::int64_t out, float* dw) {
  constexpr int kHalf = kBlock / 2;
  std::int64_t c = 0;
  for (; c + kBlock * kWide <= out; c += kBlock * kWide) {
    outer_block<kBlock, kListed>(x, x_stride, list, count, {dy.data + c, dy.stride}, dw + c, kWide);
  }
  for (; c + kHalf * kWide <= out; c += kHalf * kWide) {
    outer_block<kHalf, kListed>(x, x_stride, list, count, {dy.data + c, dy.stride}, dw + c, kWide);
  }
  for (; c < out; c += kWide) {
    outer_block<1, kListed>(x, x_stride, list, count, {dy.data + c, dy.stride}, dw + c,
                            smaller(kWide, out - c));
  }
}

// Most outputs of the functions for a few of them.
constexpr std::int64_t kFew = 7;

// Few outputs: vectors run along the inputs.
inline void outer_narrow(ConstRows x, std::int64_t n, std::int64_t first, std::int64_t in,
                         ConstRows dy, std::int64_t out, float* dw) {
  float columns[kWide > kFew ? kWide : kFew][kWide];
  for (std::int64_t i = first; i < in; i += kWide) {
    for (std::int64_t j = 0; j < out; ++j) {
      Vector sum{};
      for (std::int64_t r = 0; r < n; ++r) {
        sum += dy.data[r * dy.stride + j] * load(x.data + r * x.stride + i);
      }
      store(columns[j], sum);
    }
    const std::int64_t lanes = smaller(kWide, in - i);
    for (std::int64_t l = 0; l < lanes; ++l) {
      for (std::int64_t j = 0; j < out; ++j) dw[(i + l) * out + j] = columns[j][l];
    }
  }
}

// The same with so few outputs that the sums stay in registers.
template <int OUT>
inline void outer_few(ConstRows x, std::int64_t n, std::int64_t in, ConstRows dy, float* dw) {
  std::int64_t i = 0;
  for (; i + kWide <= in; i += kWide) {
    Vector sums[OUT], rows[OUT];
    clear(sums);
    for (std::int64_t r = 0; r < n; ++r) {
      const Vector seen = load(x.data + r * x.stride + i);
      const float* const row = dy.data + r * dy.stride;
      TENFOLD_UNROLL
      for (int j = 0; j < OUT; ++j) sums[j] += row[j] * seen;
    }
    rows_of<OUT>(sums, rows);
    TENFOLD_UNROLL
    for (int j = 0; j < OUT; ++j) store(dw + i * OUT + j * kWide, rows[j]);
  }
  outer_narrow(x, n, i, in, dy, OUT, dw);
}

void weight_gradient(ConstRows x, std::int64_t n, std::int64_t in, ConstRows dy, std::int64_t out,
                     float* dw, std::int32_t* list) {
  switch (out) {
    case 2:
      return outer_few<2>(x, n, in, dy, dw);
    case 3:
      return outer_few<3>(x, n, in, dy, dw);
    case 4:
      return outer_few<4>(x, n, in, dy, dw);
    case 5:
      return outer_few<5>(x, n, in, dy, dw);
    case 6:
      return outer_few<6>(x, n, in, dy, dw);
    case 7:
      return outer_few<7>(x, n, in, dy, dw);
    default:
      break;
  }
  if (out <= kWide) return outer_narrow(x, n, 0, in, dy, out, dw);
  const bool mostly_zero = is_mostly_zero(x, n, in);
  for (std::int64_t i = 0; i < in; ++i) {
    const float* const column = x.data + i;
    if (!mostly_zero) {
      outer_row<false>(column, x.stride, list, n, dy, out, dw + i * out);
      continue;
    }
    std::int64_t count = 0;
    for (std::int64_t r = 0; r < n; ++r) {
      list[count] = static_cast<std::int32_t>(r);
      count += static_cast<std::int64_t>(is_nonzero(column[r * x.stride]));
    }
    outer_row<true>(column, x.stride, list, count, dy, out, dw + i * out);
  }
}

// Up to this many outputs, a few rows of the weight are transposed rather than multiplied with dy
// and summed up each.
constexpr std::int64_t kTransposed = 32;

inline void input_gradient_narrow(ConstRows dy, std::int64_t n, std::int64_t out, const float* w,
                                  std::int64_t first, std::int64_t in, Rows dx) {
  float columns[kTransposed][kWide] = {};
  for (std::int64_t i = first; i < in; i += kWide) {
    const std::int64_t lanes = smaller(kWide, in - i);
    for (std::int64_t l = 0; l < lanes; ++l) {
      for (std::int64_t j = 0; j < out; ++j) columns[j][l] = w[(i + l) * out + j];
    }
    for (std::int64_t r = 0; r < n; ++r) {
      const float* const row = dy.data + r * dy.stride;
      Vector sum{};
      for (std::int64_t j = 0; j < out; ++j) sum += row[j] * load(columns[j]);
      store_part(dx.data + r * dx.stride + i, sum, lanes);
    }
  }
}

// The same with so few outputs that the transposed rows stay in registers: a policy's and V's, or
// Q.
template <int OUT>
inline void input_gradient_few(ConstRows dy, std::int64_t n, const float* w, std::int64_t in,
                               Rows dx) {
  std::int64_t i = 0;
  for (; i + kWide <= in; i += kWide) {
    Vector rows[OUT], columns[OUT];
    TENFOLD_UNROLL
    for (int j = 0; j < OUT; ++j) rows[j] = load(w + i * OUT + j * kWide);
    columns_of<OUT>(rows, columns);
    for (std::int64_t r = 0; r < n; ++r) {
      const float* const row = dy.data + r * dy.stride;
      Vector sum{};
      TENFOLD_UNROLL
      for (int j = 0; j < OUT; ++j) sum += row[j] * columns[j];
      store(dx.data + r * dx.stride + i, sum);
    }
  }
  input_gradient_narrow(dy, n, OUT, w, i, in, dx);
}

// dx of R rows at input i: each the sum of one row of the weight times dy.
template <int R>
inline void dot_block(const float* w, const float* dy, std::int64_t dy_stride, std::int64_t out,
                      float* dx, std::int64_t dx_stride) {
  Vector sum[R];
  clear(sum);
  std::int64_t c = 0;
  for (; c + kWide <= out; c += kWide) {
    const Vector weights = load(w + c);
    TENFOLD_UNROLL
    for (int r = 0; r < R; ++r) sum[r] += weights * load(dy + r * dy_stride + c);
  }
  if (c < out) {
    Vector weights{};
    for (std::int64_t l = 0; l < out - c; ++l) weights[l] = w[c + l];
    TENFOLD_UNROLL
    for (int r = 0; r < R; ++r) sum[r] += weights * load(dy + r * dy_stride + c);
  }
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) dx[r * dx_stride] = sum_of_lanes(sum[r]);
}

void input_gradient(ConstRows dy, std::int64_t n, std::int64_t out, const float* w, std::int64_t in,
                    Rows dx) {
  switch (out) {
    case 2:
      return input_gradient_few<2>(dy, n, w, in, dx);
    case 3:
      return input_gradient_few<3>(dy, n, w, in, dx);
    case 4:
      return input_gradient_few<4>(dy, n, w, in, dx);
    case 5:
      return input_gradient_few<5>(dy, n, w, in, dx);
    case 6:
      return input_gradient_few<6>(dy, n, w, in, dx);
    case 7:
      return input_gradient_few<7>(dy, n, w, in, dx);
    default:
      break;
  }
  if (out <= kTransposed) return input_gradient_narrow(dy, n, out, w, 0, in, dx);
  for (std::int64_t i = 0; i < in; ++i) {
    const float* const row = w + i * out;
    std::int64_t r = 0;
    for (; r + 4 <= n; r += 4) {
      dot_block<4>(row, dy.data + r * dy.stride, dy.stride, out, dx.data + r * dx.stride + i,
                   dx.stride);
    }
    for (; r < n; ++r) {
      dot_block<1>(row, dy.data + r * dy.stride, dy.stride, out, dx.data + r * dx.stride + i,
                   dx.stride);
    }
  }
}

void column_sums(ConstRows rows, std::int64_t n, std::int64_t columns, float* sum) {
  for (std::int64_t c = 0; c < columns; c += kWide) {
    Vector total{};
    for (std::int64_t r = 0; r < n; ++r) total += load(rows.data + r * rows.stride + c);
    store_part(sum + c, total, smaller(kWide, columns - c));
  }
}

}  // namespace
}  // namespace tenfold::kernels
