// Vectors of kLanes floats as the compiler's vector extension. Only small_products_*.cpp include it
// and what builds on it: everything here is compiled anew for each instruction set, and so has
// internal linkage, and sees no inline function of another header.
#pragma once

#include <cstdint>

#include "kernels/small_products.hpp"

namespace tenfold::kernels {
namespace {

using Vector = float __attribute__((vector_size(64)));
using Integers = std::int32_t __attribute__((vector_size(64)));
using Quad = float __attribute__((vector_size(16)));

// Sums that run side by side in registers: enough to hide an addition's latency.
#if defined(__AVX512F__)
constexpr int kBlock = 8;
#elif defined(__AVX2__)
constexpr int kBlock = 4;
#else
constexpr int kBlock = 2;
#endif

template <class V = Vector>
inline V load(const float* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
template <class V>
inline void store(float* to, const V& v) {
  __builtin_memcpy(to, &v, sizeof v);
}
// The first count lanes.
template <class V>
inline void store_part(float* to, const V& v, std::int64_t count) {
  constexpr auto kWidth = static_cast<std::int64_t>(sizeof(V) / sizeof(float));
  if (count >= kWidth) return store(to, v);
  float lanes[kWidth];
  store(lanes, v);
  for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}
template <class V>
inline V halves_added(const Vector& v) {
  V low, high;
  __builtin_memcpy(&low, &v, sizeof low);
  __builtin_memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof low, sizeof high);
  return low + high;
}
// In one order, whatever the instruction set.
inline float sum_of_lanes(const Vector& v) {
  using Eight = float __attribute__((vector_size(32)));
  const Eight eight = halves_added<Eight>(v);
  Quad low, high;
  __builtin_memcpy(&low, &eight, sizeof low);
  __builtin_memcpy(&high, reinterpret_cast<const char*>(&eight) + sizeof low, sizeof high);
  low += high;
  return (low[0] + low[2]) + (low[1] + low[3]);
}

inline bool is_nonzero(float value) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return (bits << 1) != 0;
}

inline std::int64_t smaller(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}

// Without a branch: what is zero after a ReLU cannot be foreseen.
inline std::int64_t nonzeros(const float* values, std::int64_t count, std::int32_t* list) {
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    list[found] = static_cast<std::int32_t>(i);
    found += static_cast<std::int64_t>(is_nonzero(values[i]));
  }
  return found;
}

}  // namespace
}  // namespace tenfold::kernels
