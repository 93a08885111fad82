// Periodic cubic splines through 12 points.
#pragma once

#include <array>
#include <cstddef>

namespace tenfold::env::racing {

/// One coordinate of a closed curve: cubic between whole numbers t = 0, 1, ..., with continuous
/// first and second derivatives everywhere (t and t + kSize are the same point).
template <std::size_t kSize>
class PeriodicSpline {
 public:
  /// values[i] is the coordinate at t = i. Second derivatives m solve
  /// m[i-1] + 4 m[i] + m[i+1] = 6 (v[i-1] - 2 v[i] + v[i+1]); Gauss-Seidel contracts by at least 2
  /// a sweep, so 60 sweeps leave rounding only.
  explicit PeriodicSpline(const std::array<double, kSize>& values) : values_(values) {
    for (int sweep = 0; sweep < 60; ++sweep) {
      for (std::size_t i = 0; i < kSize; ++i) {
        const std::size_t before = (i + kSize - 1) % kSize, after = (i + 1) % kSize;
        const double bend = values[before] - 2 * values[i] + values[after];
        second_[i] = (6 * bend - second_[before] - second_[after]) / 4;
      }
    }
  }

  double value(std::size_t piece, double t) const {
    const std::size_t next = (piece + 1) % kSize;
    const double s = 1 - t;
    return s * values_[piece] + t * values_[next] +
           ((s * s * s - s) * second_[piece] + (t * t * t - t) * second_[next]) / 6;
  }
  double slope(std::size_t piece, double t) const {
    const std::size_t next = (piece + 1) % kSize;
    const double s = 1 - t;
    return values_[next] - values_[piece] +
           ((1 - 3 * s * s) * second_[piece] + (3 * t * t - 1) * second_[next]) / 6;
  }
  double bend(std::size_t piece, double t) const {
    return (1 - t) * second_[piece] + t * second_[(piece + 1) % kSize];
  }

 private:
  std::array<double, kSize> values_;
  std::array<double, kSize> second_ = {};
};

}  // namespace tenfold::env::racing
