// Largest magnitude of a tensor, by its bits: without the sign, the bits of IEEE numbers order as
// the numbers do, infinity above all numbers and NaN above infinity, so a NaN is never lost in a
// maximum.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>

#include "kernels/as_view.hpp"

namespace tenfold::kernels {

template <class T>
struct IeeeBits;
template <>
struct IeeeBits<float> {
  using Integer = std::int32_t;
  static constexpr at::ScalarType kType = at::kInt;
  static constexpr Integer kInfinity = 0x7f800000;
};
template <>
struct IeeeBits<double> {
  using Integer = std::int64_t;
  static constexpr at::ScalarType kType = at::kLong;
  static constexpr Integer kInfinity = 0x7ff0000000000000;
};

/// The largest magnitude's bits; 0 for an empty tensor.
template <class T>
typename IeeeBits<T>::Integer largest_magnitude_bits(const at::Tensor& values) {
  using Integer = typename IeeeBits<T>::Integer;
  detail::check<T>(values);
  const at::Tensor bits = values.view(IeeeBits<T>::kType);
  const Integer* const b = as_flat<Integer>(bits).data();
  return reduce_elements<Kokkos::Max<Integer>>(
      values, values.numel(), Integer{0},
      KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end, Integer & largest) {
        constexpr Integer kMagnitude = std::numeric_limits<Integer>::max();
        for (std::int64_t i = begin; i < end; ++i) {
          const Integer magnitude = b[i] & kMagnitude;
          largest = magnitude > largest ? magnitude : largest;
        }
      });
}

/// Index of the first infinity or NaN, or -1.
template <class T>
std::int64_t first_nonfinite_index(const at::Tensor& values) {
  using Integer = typename IeeeBits<T>::Integer;
  // The common answer is "none", and a maximum vectorises where a search does not.
  if (largest_magnitude_bits<T>(values) < IeeeBits<T>::kInfinity) return -1;
  const at::Tensor bits = values.view(IeeeBits<T>::kType);
  const Integer* const b = as_flat<Integer>(bits).data();
  return reduce_elements<Kokkos::Min<std::int64_t>>(
      values, values.numel(), values.numel(),
      KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end, std::int64_t & first) {
        constexpr Integer kExponent = IeeeBits<T>::kInfinity;
        for (std::int64_t i = begin; i < end; ++i) {
          if ((b[i] & kExponent) == kExponent && i < first) first = i;
        }
      });
}

}  // namespace tenfold::kernels
