#include "env/tolerance.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace tenfold::env {

namespace {

constexpr double kPi = 3.14159265358979323846;

// f(0) = 1, f(1) = value; d >= 0.
double fall(double d, Sigmoid sigmoid, double value) {
  switch (sigmoid) {
    case Sigmoid::kGaussian:
      return std::exp(d * d * std::log(value));
    case Sigmoid::kLinear:
      return std::max(0.0, 1 - (1 - value) * d);
    case Sigmoid::kQuadratic:
      return std::max(0.0, 1 - (1 - value) * d * d);
    case Sigmoid::kLongTail:
      return 1 / (1 + d * d * (1 / value - 1));
    case Sigmoid::kHyperbolic:
      return 1 / std::cosh(d * std::acosh(1 / value));
    case Sigmoid::kReciprocal:
      return 1 / (1 + d * (1 / value - 1));
    case Sigmoid::kCosine: {
      const double scaled = d * std::acos(2 * value - 1);
      return scaled < kPi ? 0.5 * (1 + std::cos(scaled)) : 0;
    }
    case Sigmoid::kTanhSquared: {
      const double t = std::tanh(d * std::atanh(std::sqrt(1 - value)));
      return 1 - t * t;
    }
  }
  return 0;
}

}  // namespace

double tolerance(double x, double low, double high, double margin, Sigmoid sigmoid, double value) {
  const bool reaches_zero =
      sigmoid == Sigmoid::kLinear || sigmoid == Sigmoid::kQuadratic || sigmoid == Sigmoid::kCosine;
  base::require(
      low <= high && margin >= 0 && value < 1 && (value > 0 || (value == 0 && reaches_zero)),
      "tolerance: bad bounds, margin or value");
  if (x >= low && x <= high) return 1;
  if (margin == 0) return 0;
  return fall((x < low ? low - x : x - high) / margin, sigmoid, value);
}

}  // namespace tenfold::env
