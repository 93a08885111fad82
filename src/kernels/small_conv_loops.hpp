// Convolutions of one picture, without gathering patches: see SmallProducts.
#pragma once

#include "kernels/small_vectors.hpp"

namespace tenfold::kernels {
namespace {

// R places by C vectors of filters, the last of them with only last lanes.
template <int R, int C>
inline void conv_block(const ConvShape& shape, const std::int32_t* offset, const float* picture,
                       const float* w, ConstRows start, Rows y, std::int64_t last) {
  Vector sum[R][C];
  const float* from[R];
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) {
    from[r] = picture + offset[r];
    TENFOLD_UNROLL
    for (int c = 0; c < C; ++c) sum[r][c] = load(start.data + r * start.stride + c * kWide);
  }
  const std::int64_t wide = shape.kernel * shape.channels;
  for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
    for (std::int64_t k = 0; k < wide; ++k, w += shape.filters) {
      Vector weights[C];
      TENFOLD_UNROLL
      for (int c = 0; c < C; ++c) weights[c] = load(w + c * kWide);
      TENFOLD_UNROLL
      for (int r = 0; r < R; ++r) {
        TENFOLD_UNROLL
        for (int c = 0; c < C; ++c) sum[r][c] += from[r][k] * weights[c];
      }
    }
    TENFOLD_UNROLL
    for (int r = 0; r < R; ++r) from[r] += shape.width * shape.channels;
  }
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) {
    float* const row = y.data + r * y.stride;
    TENFOLD_UNROLL
    for (int c = 0; c + 1 < C; ++c) store(row + c * kWide, sum[r][c]);
    store_part(row + (C - 1) * kWide, sum[r][C - 1], last);
  }
}

template <int C>
inline void conv_columns(const ConvShape& shape, const std::int32_t* offset, const float* picture,
                         const float* w, ConstRows start, Rows y, std::int64_t last) {
  constexpr int kRows = kBlock / C;
  const std::int64_t places = shape.out_height * shape.out_width;
  const auto block = [&](std::int64_t p, auto rows) {
    conv_block<rows(), C>(shape, offset + p, picture, w,
                          {start.data + p * start.stride, start.stride},
                          {y.data + p * y.stride, y.stride}, last);
  };
  std::int64_t p = 0;
  for (; p + kRows <= places; p += kRows) block(p, Count<kRows>{});
  for (; p < places; ++p) block(p, Count<1>{});
}

// start: of each place, or, with stride 0, a bias.
inline void conv_rows(const ConvShape& shape, const std::int32_t* offset, const float* picture,
                      const float* w, ConstRows start, Rows y) {
  std::int64_t c = 0;
  for (; c + 2 * kWide <= shape.filters; c += 2 * kWide) {
    conv_columns<2>(shape, offset, picture, w + c, {start.data + c, start.stride},
                    {y.data + c, y.stride}, kWide);
  }
  for (; c < shape.filters; c += kWide) {
    conv_columns<1>(shape, offset, picture, w + c, {start.data + c, start.stride},
                    {y.data + c, y.stride}, smaller(kWide, shape.filters - c));
  }
}

void conv_forward(const ConvShape& shape, const std::int32_t* offset, const float* picture,
                  const float* w, const float* bias, Rows y) {
  conv_rows(shape, offset, picture, w, {bias, 0}, y);
}

// body(place, tap) for every place whose patch holds number index of the picture; tap counts
// [kernel, kernel, channels].
template <class Body>
inline void for_places(const ConvShape& s, std::int64_t index, const Body& body) {
  const std::int64_t line = s.width * s.channels;
  const std::int64_t y = index / line, x = index % line / s.channels, c = index % s.channels;
  const std::int64_t first_y = y < s.kernel ? 0 : (y - s.kernel) / s.stride + 1;
  const std::int64_t first_x = x < s.kernel ? 0 : (x - s.kernel) / s.stride + 1;
  const std::int64_t last_y = smaller(y / s.stride, s.out_height - 1);
  const std::int64_t last_x = smaller(x / s.stride, s.out_width - 1);
  for (std::int64_t oy = first_y; oy <= last_y; ++oy) {
    for (std::int64_t ox = first_x; ox <= last_x; ++ox) {
      body(oy * s.out_width + ox,
           ((y - oy * s.stride) * s.kernel + x - ox * s.stride) * s.channels + c);
    }
  }
}

void conv_forward_sparse(const ConvShape& shape, const float* picture, const std::int32_t* nonzero,
                         std::int64_t count, const float* w, const float* bias, Rows y) {
  const std::int64_t places = shape.out_height * shape.out_width;
  for (std::int64_t f = 0; f < shape.filters; f += kWide) {
    const std::int64_t lanes = smaller(kWide, shape.filters - f);
    for (std::int64_t p = 0; p < places; ++p) {
      store_part(y.data + p * y.stride + f, load(bias + f), lanes);
    }
    for (std::int64_t k = 0; k < count; ++k) {
      const float value = picture[nonzero[k]];
      for_places(shape, nonzero[k], [&](std::int64_t place, std::int64_t tap) {
        float* const sum = y.data + place * y.stride + f;
        store_part(sum, load(sum) + value * load(w + tap * shape.filters + f), lanes);
      });
    }
  }
}

// R taps of one line of the kernel by one vector of filters.
template <int R>
inline void conv_outer_block(const ConvShape& shape, const std::int32_t* offset,
                             const float* picture, ConstRows dy, float* dw, std::int64_t last) {
  Vector sum[R];
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) sum[r] = load(dw + r * shape.filters);
  const std::int64_t places = shape.out_height * shape.out_width;
  for (std::int64_t p = 0; p < places; ++p) {
    const Vector slope = load(dy.data + p * dy.stride);
    const float* const from = picture + offset[p];
    TENFOLD_UNROLL
    for (int r = 0; r < R; ++r) sum[r] += from[r] * slope;
  }
  TENFOLD_UNROLL
  for (int r = 0; r < R; ++r) store_part(dw + r * shape.filters, sum[r], last);
}

void conv_weight_gradient(const ConvShape& shape, const std::int32_t* offset, const float* picture,
                          ConstRows dy, float* dw) {
  const std::int64_t wide = shape.kernel * shape.channels;
  for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
    const float* const line = picture + ky * shape.width * shape.channels;
    for (std::int64_t f = 0; f < shape.filters; f += kWide) {
      const std::int64_t lanes = smaller(kWide, shape.filters - f);
      const ConstRows slopes{dy.data + f, dy.stride};
      float* const to = dw + ky * wide * shape.filters + f;
      std::int64_t k = 0;
      for (; k + kBlock <= wide; k += kBlock) {
        conv_outer_block<kBlock>(shape, offset, line + k, slopes, to + k * shape.filters, lanes);
      }
      for (; k + 2 <= wide; k += 2) {
        conv_outer_block<2>(shape, offset, line + k, slopes, to + k * shape.filters, lanes);
      }
      for (; k < wide; ++k) {
        conv_outer_block<1>(shape, offset, line + k, slopes, to + k * shape.filters, lanes);
      }
    }
  }
}

void conv_weight_gradient_sparse(const ConvShape& shape, const float* picture,
                                 const std::int32_t* nonzero, std::int64_t count, ConstRows dy,
                                 float* dw) {
  for (std::int64_t k = 0; k < count; ++k) {
    const float value = picture[nonzero[k]];
    for_places(shape, nonzero[k], [&](std::int64_t place, std::int64_t tap) {
      for (std::int64_t f = 0; f < shape.filters; f += kWide) {
        float* const sum = dw + tap * shape.filters + f;
        store_part(sum, load(sum) + value * load(dy.data + place * dy.stride + f),
                   smaller(kWide, shape.filters - f));
      }
    });
  }
}

// C vectors of one line of place p's patch; the last of them has only last lanes.
template <int C>
inline void conv_back_block(const ConvShape& shape, const float* dy, const float* w_t,
                            std::int64_t taps, float* to, std::int64_t last) {
  Vector sum[C];
  clear(sum);
  for (std::int64_t f = 0; f < shape.filters; ++f) {
    TENFOLD_UNROLL
    for (int c = 0; c < C; ++c) sum[c] += dy[f] * load(w_t + f * taps + c * kWide);
  }
  TENFOLD_UNROLL
  for (int c = 0; c + 1 < C; ++c) store(to + c * kWide, load(to + c * kWide) + sum[c]);
  float* const end = to + (C - 1) * kWide;
  store_part(end, load(end) + sum[C - 1], last);
}

void conv_input_gradient(const ConvShape& shape, const std::int32_t* offset, ConstRows dy,
                         const float* w_t, float* dpicture) {
  const std::int64_t places = shape.out_height * shape.out_width;
  const std::int64_t wide = shape.kernel * shape.channels, taps = shape.kernel * wide;
  for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
    float* const line = dpicture + ky * shape.width * shape.channels;
    for (std::int64_t p = 0; p < places; ++p) {
      const float* const slope = dy.data + p * dy.stride;
      const float* const weights = w_t + ky * wide;
      float* const to = line + offset[p];
      std::int64_t k = 0;
      for (; k + kBlock / 2 * kWide <= wide; k += kBlock / 2 * kWide) {
        conv_back_block<kBlock / 2>(shape, slope, weights + k, taps, to + k, kWide);
      }
      for (; k < wide; k += kWide) {
        conv_back_block<1>(shape, slope, weights + k, taps, to + k, smaller(kWide, wide - k));
      }
    }
  }
}

}  // namespace
}  // namespace tenfold::kernels
