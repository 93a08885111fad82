// What many numbers amount to, and how far two lists of them are apart.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace tenfold::tool {

/// Least, greatest and mean of the finite values; NaN when there are none.
class NumberSummary {
 public:
  void add(double value);
  template <class T>
  void add(std::span<const T> values) {
    for (const T value : values) add(static_cast<double>(value));
  }

  std::uint64_t count() const { return finite_ + not_finite_; }
  std::uint64_t not_finite() const { return not_finite_; }
  double least() const { return finite_ > 0 ? least_ : NAN; }
  double greatest() const { return finite_ > 0 ? greatest_ : NAN; }
  double mean() const { return finite_ > 0 ? mean_ : NAN; }

 private:
  std::uint64_t finite_ = 0, not_finite_ = 0;
  double least_ = 0, greatest_ = 0, mean_ = 0;
};

/// Representable numbers between a and b: 0 for equal ones (and for 0 and -0), 1 for neighbours.
/// The largest std::uint64_t when one of them is a NaN and the other is not.
std::uint64_t ulp_distance(float a, float b);
std::uint64_t ulp_distance(double a, double b);

/// Element by element; two NaNs are equal.
struct Difference {
  std::uint64_t elements = 0;
  std::uint64_t differing = 0;
  double max_abs = 0;         ///< infinite when only one of a pair is finite
  double max_relative = 0;    ///< to the larger of a pair
  std::uint64_t max_ulp = 0;  ///< 0 for whole numbers

  void add_pair(double a, double b);
  template <class T>
  void add(std::span<const T> a, std::span<const T> b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const bool same = a[i] == b[i] || (std::isnan(static_cast<double>(a[i])) &&
                                         std::isnan(static_cast<double>(b[i])));
      if (same) {
        ++elements;
        continue;
      }
      add_pair(static_cast<double>(a[i]), static_cast<double>(b[i]));
      if constexpr (std::is_floating_point_v<T>) {
        const std::uint64_t ulp = ulp_distance(a[i], b[i]);
        if (ulp > max_ulp) max_ulp = ulp;
      }
    }
  }
};

}  // namespace tenfold::tool
