// Vectors of kLanes floats as the compiler's vector extension. Only small_products_*.cpp include it
// and what builds on it: everything here is compiled anew for each instruction set, and so has
// internal linkage, and sees no inline function of another header.
#pragma once

#include <cstdint>
#include <utility>

#include "kernels/small_products.hpp"

// Before a loop over an array of vectors, which then stays in registers.
#if defined(__clang__)
#define TENFOLD_UNROLL _Pragma("unroll")
#else
#define TENFOLD_UNROLL _Pragma("GCC unroll 8")
#endif

namespace tenfold::kernels {
namespace {

// As wide as the instruction set's registers: wider vectors would be kept in memory.
#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
using Vector = float __attribute__((vector_size(kBytes)));
using Integers = std::int32_t __attribute__((vector_size(kBytes)));
using Words = std::uint32_t __attribute__((vector_size(kBytes)));
using Quad = float __attribute__((vector_size(16)));
constexpr std::int64_t kWide = kBytes / 4;
static_assert(kWide <= kLanes);

// Sums that run side by side in registers: enough to hide an addition's latency.
constexpr int kBlock = 8;

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
// One by one: as a whole, the compiler would clear memory rather than registers.
template <int N>
inline void clear(Vector (&sums)[N]) {
  TENFOLD_UNROLL
  for (int i = 0; i < N; ++i) sums[i] = Vector{};
}
// The first count lanes.
template <class V>
inline void store_part(float* to, const V& v, std::int64_t count) {
  constexpr auto kWidth = static_cast<std::int64_t>(sizeof(V) / sizeof(float));
  if (count >= kWidth) return store(to, v);
  float lanes[kWidth];
  store(lanes, v);
  std::int64_t i = 0;
  if (2 * count >= kWidth) {
    __builtin_memcpy(to, lanes, sizeof v / 2);
    i = kWidth / 2;
  }
  for (; i < count; ++i) to[i] = lanes[i];
}
// kWide rows of N numbers each lie in N vectors; columns[j] holds number j of every row, and back.
// PICK(l) is which number of all goes to lane l: every vector gives the lanes that it has.
template <int N, int J>
struct ColumnPick {
  static constexpr int at(int lane) { return lane * N + J; }
};
template <int N, int V>
struct RowPick {
  static constexpr int at(int lane) {
    return (V * static_cast<int>(kWide) + lane) % N * static_cast<int>(kWide) +
           (V * static_cast<int>(kWide) + lane) / N;
  }
};
template <class Pick, int V, int... Lanes>
inline Vector picked_from(const Vector& have, const Vector& from,
                          std::integer_sequence<int, Lanes...> /*unused*/) {
  constexpr int kVector = static_cast<int>(kWide);
  return __builtin_shufflevector(
      have, from,
      (Pick::at(Lanes) / kVector == V ? kVector + Pick::at(Lanes) % kVector : Lanes)...);
}
template <class Pick, int... Vs>
inline Vector picked(const Vector* from, std::integer_sequence<int, Vs...> /*unused*/) {
  using Lanes = std::make_integer_sequence<int, static_cast<int>(kWide)>;
  Vector v = from[0];
  ((v = picked_from<Pick, Vs>(v, from[Vs], Lanes())), ...);
  return v;
}
template <int N, int... Js>
inline void pick_columns(const Vector* rows, Vector* columns,
                         std::integer_sequence<int, Js...> all) {
  ((columns[Js] = picked<ColumnPick<N, Js>>(rows, all)), ...);
}
template <int N, int... Vs>
inline void pick_rows(const Vector* columns, Vector* rows, std::integer_sequence<int, Vs...> all) {
  ((rows[Vs] = picked<RowPick<N, Vs>>(columns, all)), ...);
}
template <int N>
inline void columns_of(const Vector (&rows)[N], Vector (&columns)[N]) {
  pick_columns<N>(rows, columns, std::make_integer_sequence<int, N>());
}
template <int N>
inline void rows_of(const Vector (&columns)[N], Vector (&rows)[N]) {
  pick_rows<N>(columns, rows, std::make_integer_sequence<int, N>());
}
template <class Half, class V>
inline Half halves_added(const V& v) {
  Half low, high;
  __builtin_memcpy(&low, &v, sizeof low);
  __builtin_memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof low, sizeof high);
  return low + high;
}
inline float sum_of_lanes(const Vector& v) {
#if defined(__AVX512F__)
  using Eight = float __attribute__((vector_size(32)));
  const Quad four = halves_added<Quad>(halves_added<Eight>(v));
#elif defined(__AVX2__)
  const Quad four = halves_added<Quad>(v);
#else
  const Quad& four = v;
#endif
  return (four[0] + four[2]) + (four[1] + four[3]);
}

inline bool is_nonzero(float value) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return (bits << 1) != 0;
}

template <int N>
struct Count {
  constexpr int operator()() const { return N; }
};

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
