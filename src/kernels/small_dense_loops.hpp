// Products of rows with a weight [in, out]: see SmallProducts.
#pragma once

#include "kernels/small_vectors.hpp"

namespace tenfold::kernels {
namespace {

// C vectors of one row's outputs; the last of them has only last lanes.
template <int C>
inline void forward_block(const float* x, const std::int32_t* list, std::int64_t count,
                          const float* w, std::int64_t out, const float* start, float* y,
                          std::int64_t last) {
  Vector sum[C];
  for (int c = 0; c < C; ++c) sum[c] = load(start + c * kLanes);
  for (std::int64_t k = 0; k < count; ++k) {
    const float* const row = w + list[k] * out;
    const float value = x[list[k]];
    for (int c = 0; c < C; ++c) sum[c] += value * load(row + c * kLanes);
  }
  for (int c = 0; c + 1 < C; ++c) store(y + c * kLanes, sum[c]);
  store_part(y + (C - 1) * kLanes, sum[C - 1], last);
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
  for (std::int64_t r = 0; r < n; ++r) {
    const float* const xr = x.data + r * x.stride;
    const float* const from = start.data + r * start.stride;
    float* const yr = y.data + r * y.stride;
    if (out <= 4) {
      forward_narrow<Quad>(xr, in, w, out, from, yr);
      continue;
    }
    if (out <= kLanes) {
      forward_narrow<Vector>(xr, in, w, out, from, yr);
      continue;
    }
    const std::int64_t count = nonzeros(xr, in, list);
    std::int64_t c = 0;
    for (; c + kBlock * kLanes <= out; c += kBlock * kLanes) {
      forward_block<kBlock>(xr, list, count, w + c, out, from + c, yr + c, kLanes);
    }
    for (; c + kBlock / 2 * kLanes <= out; c += kBlock / 2 * kLanes) {
      forward_block<kBlock / 2>(xr, list, count, w + c, out, from + c, yr + c, kLanes);
    }
    for (; c < out; c += kLanes) {
      forward_block<1>(xr, list, count, w + c, out, from + c, yr + c, smaller(kLanes, out - c));
    }
  }
}

template <int C>
inline void outer_block(const float* x, std::int64_t x_stride, const std::int32_t* list,
                        std::int64_t count, const float* dy, std::int64_t dy_stride, float* dw,
                        std::int64_t last) {
  Vector sum[C] = {};
  for (std::int64_t k = 0; k < count; ++k) {
    const float value = x[list[k] * x_stride];
    const float* const row = dy + list[k] * dy_stride;
    for (int c = 0; c < C; ++c) sum[c] += value * load(row + c * kLanes);
  }
  for (int c = 0; c + 1 < C; ++c) store(dw + c * kLanes, sum[c]);
  store_part(dw + (C - 1) * kLanes, sum[C - 1], last);
}

// Few outputs: vectors run along the inputs.
inline void outer_narrow(ConstRows x, std::int64_t n, std::int64_t in, ConstRows dy,
                         std::int64_t out, float* dw) {
  float columns[kLanes][kLanes];
  for (std::int64_t i = 0; i < in; i += kLanes) {
    for (std::int64_t j = 0; j < out; ++j) {
      Vector sum{};
      for (std::int64_t r = 0; r < n; ++r) {
        sum += dy.data[r * dy.stride + j] * load(x.data + r * x.stride + i);
      }
      store(columns[j], sum);
    }
    const std::int64_t lanes = smaller(kLanes, in - i);
    for (std::int64_t l = 0; l < lanes; ++l) {
      for (std::int64_t j = 0; j < out; ++j) dw[(i + l) * out + j] = columns[j][l];
    }
  }
}

void weight_gradient(ConstRows x, std::int64_t n, std::int64_t in, ConstRows dy, std::int64_t out,
                     float* dw, std::int32_t* list) {
  if (out <= kLanes) return outer_narrow(x, n, in, dy, out, dw);
  for (std::int64_t i = 0; i < in; ++i) {
    const float* const column = x.data + i;
    std::int64_t count = 0;
    for (std::int64_t r = 0; r < n; ++r) {
      list[count] = static_cast<std::int32_t>(r);
      count += static_cast<std::int64_t>(is_nonzero(column[r * x.stride]));
    }
    float* const to = dw + i * out;
    std::int64_t c = 0;
    for (; c + kBlock * kLanes <= out; c += kBlock * kLanes) {
      outer_block<kBlock>(column, x.stride, list, count, dy.data + c, dy.stride, to + c, kLanes);
    }
    for (; c + kBlock / 2 * kLanes <= out; c += kBlock / 2 * kLanes) {
      outer_block<kBlock / 2>(column, x.stride, list, count, dy.data + c, dy.stride, to + c,
                              kLanes);
    }
    for (; c < out; c += kLanes) {
      outer_block<1>(column, x.stride, list, count, dy.data + c, dy.stride, to + c,
                     smaller(kLanes, out - c));
    }
  }
}

// Up to this many outputs, a few rows of the weight are transposed rather than multiplied with dy
// and summed up each.
constexpr std::int64_t kTransposed = 32;

inline void input_gradient_narrow(ConstRows dy, std::int64_t n, std::int64_t out, const float* w,
                                  std::int64_t in, Rows dx) {
  float columns[kTransposed][kLanes] = {};
  for (std::int64_t i = 0; i < in; i += kLanes) {
    const std::int64_t lanes = smaller(kLanes, in - i);
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

// dx of R rows at input i: each the sum of one row of the weight times dy.
template <int R>
inline void dot_block(const float* w, const float* dy, std::int64_t dy_stride, std::int64_t out,
                      float* dx, std::int64_t dx_stride) {
  Vector sum[R] = {};
  std::int64_t c = 0;
  for (; c + kLanes <= out; c += kLanes) {
    const Vector weights = load(w + c);
    for (int r = 0; r < R; ++r) sum[r] += weights * load(dy + r * dy_stride + c);
  }
  if (c < out) {
    Vector weights{};
    for (std::int64_t l = 0; l < out - c; ++l) weights[l] = w[c + l];
    for (int r = 0; r < R; ++r) sum[r] += weights * load(dy + r * dy_stride + c);
  }
  for (int r = 0; r < R; ++r) dx[r * dx_stride] = sum_of_lanes(sum[r]);
}

void input_gradient(ConstRows dy, std::int64_t n, std::int64_t out, const float* w, std::int64_t in,
                    Rows dx) {
  if (out <= kTransposed) return input_gradient_narrow(dy, n, out, w, in, dx);
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
  for (std::int64_t c = 0; c < columns; c += kLanes) {
    Vector total{};
    for (std::int64_t r = 0; r < n; ++r) total += load(rows.data + r * rows.stride + c);
    store_part(sum + c, total, smaller(kLanes, columns - c));
  }
}

}  // namespace
}  // namespace tenfold::kernels
