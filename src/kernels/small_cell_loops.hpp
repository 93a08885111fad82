// Activations and the cells of an LSTM: see SmallProducts.
#pragma once

#include "kernels/small_vectors.hpp"

namespace tenfold::kernels {
namespace {

inline Vector as_floats(const Integers& bits) {
  Vector v;
  __builtin_memcpy(&v, &bits, sizeof v);
  return v;
}
inline Integers as_integers(const Vector& v) {
  Integers bits;
  __builtin_memcpy(&bits, &v, sizeof bits);
  return bits;
}
inline Vector filled(float value) {
  return Vector{} + value;
}

// e^x = scale (1 + rest), scale a power of two and |log(1 + rest)| <= log(2) / 2, where the series
// of e^r - 1 up to r^7 is off by less than half a unit in the last place. NaN passes.
struct Exponential {
  Vector scale, rest;
};
inline Exponential exponential(const Vector& argument) {
  constexpr float kEnd = 87.0F;  // e^87 is finite, e^-87 no denormal number
  Vector x = argument > kEnd ? filled(kEnd) : argument;
  x = x < -kEnd ? filled(-kEnd) : x;
  // Adding this rounds to a whole number, which then lies in the lowest bits.
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23
  const Vector shifted = x * 1.44269504F + kRound;
  const Vector whole = shifted - kRound;
  // log(2) in two parts, the first of which times any whole number here is exact.
  Vector r = x - whole * 0.693359375F;
  r = r + whole * 2.12194440e-4F;
  Vector series = filled(1.0F / 5040);
  series = series * r + 1.0F / 720;
  series = series * r + 1.0F / 120;
  series = series * r + 1.0F / 24;
  series = series * r + 1.0F / 6;
  series = series * r + 0.5F;
  const Integers exponent = as_integers(shifted) - as_integers(filled(kRound)) + 127;
  return {as_floats(exponent << 23), series * (r * r) + r};
}

inline Vector sigmoid(const Vector& x) {
  const Exponential e = exponential(-x);
  return 1.0F / (1.0F + (e.scale + e.scale * e.rest));
}

// (e^2x - 1) / (e^2x + 1), e^2x - 1 without cancellation.
inline Vector tanh_of(const Vector& argument) {
  constexpr float kOne = 10.0F;  // tanh is 1 from 9.02 on
  Vector x = argument > kOne ? filled(kOne) : argument;
  x = x < -kOne ? filled(-kOne) : x;
  const Exponential e = exponential(x + x);
  const Vector less_one = e.scale * e.rest + (e.scale - 1.0F);
  return less_one / (less_one + 2.0F);
}

// body(i, count) on vectors of whole lanes; what is left over goes through a copy.
template <class Body>
inline void for_vectors(std::int64_t count, const Body& body) {
  std::int64_t i = 0;
  for (; i + kWide <= count; i += kWide) body(i, kWide);
  if (i < count) body(i, count - i);
}
inline Vector load_part(const float* from, std::int64_t count) {
  if (count >= kWide) return load(from);
  float lanes[kWide] = {};
  for (std::int64_t l = 0; l < count; ++l) lanes[l] = from[l];
  return load(lanes);
}

void activate(float* values, std::int64_t count, Activation activation) {
  if (activation == Activation::kIdentity) return;
  for_vectors(count, [&](std::int64_t i, std::int64_t lanes) {
    const Vector x = load_part(values + i, lanes);
    const Vector y = activation == Activation::kRelu ? (x < 0.0F ? Vector{} : x) : tanh_of(x);
    store_part(values + i, y, lanes);
  });
}

void activation_backward(float* dy, const float* y, std::int64_t count, Activation activation) {
  if (activation == Activation::kIdentity) return;
  for_vectors(count, [&](std::int64_t i, std::int64_t lanes) {
    const Vector slope = load_part(dy + i, lanes), at = load_part(y + i, lanes);
    const Vector dx =
        activation == Activation::kRelu ? (at > 0.0F ? slope : Vector{}) : slope * (1.0F - at * at);
    store_part(dy + i, dx, lanes);
  });
}

void lstm_forward(std::int64_t cells, float* z, const float* c_before, float* c, float* tanh_c,
                  float* h) {
  float *const zi = z, *const zf = z + cells, *const zg = z + 2 * cells, *const zo = z + 3 * cells;
  for_vectors(cells, [&](std::int64_t k, std::int64_t lanes) {
    const Vector i = sigmoid(load_part(zi + k, lanes)), f = sigmoid(load_part(zf + k, lanes));
    const Vector g = tanh_of(load_part(zg + k, lanes)), o = sigmoid(load_part(zo + k, lanes));
    const Vector cell = f * load_part(c_before + k, lanes) + i * g;
    const Vector squashed = tanh_of(cell);
    store_part(zi + k, i, lanes);
    store_part(zf + k, f, lanes);
    store_part(zg + k, g, lanes);
    store_part(zo + k, o, lanes);
    store_part(c + k, cell, lanes);
    store_part(tanh_c + k, squashed, lanes);
    store_part(h + k, o * squashed, lanes);
  });
}

void lstm_backward(std::int64_t cells, const float* gates, const float* c_before,
                   const float* tanh_c, const float* dh, float* dc, float* dz) {
  for_vectors(cells, [&](std::int64_t k, std::int64_t lanes) {
    const Vector i = load_part(gates + k, lanes), f = load_part(gates + cells + k, lanes);
    const Vector g = load_part(gates + 2 * cells + k, lanes);
    const Vector o = load_part(gates + 3 * cells + k, lanes);
    const Vector squashed = load_part(tanh_c + k, lanes), slope = load_part(dh + k, lanes);
    const Vector cell = load_part(dc + k, lanes) + slope * o * (1.0F - squashed * squashed);
    store_part(dz + k, cell * g * i * (1.0F - i), lanes);
    store_part(dz + cells + k, cell * load_part(c_before + k, lanes) * f * (1.0F - f), lanes);
    store_part(dz + 2 * cells + k, cell * i * (1.0F - g * g), lanes);
    store_part(dz + 3 * cells + k, slope * squashed * o * (1.0F - o), lanes);
    store_part(dc + k, cell * f, lanes);
  });
}

void scale_bytes(const std::uint8_t* bytes, std::int64_t count, float* values) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(bytes[i]) / 255.0F;
}

}  // namespace
}  // namespace tenfold::kernels
