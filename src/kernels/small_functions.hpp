// Functions of vectors: exponentials, and loops whose last vector is a part of one. Included by
// what is compiled anew for each instruction set, as small_vectors.hpp.
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

}  // namespace
}  // namespace tenfold::kernels
