#include "tenfold/number_summary.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace tenfold::tool {

namespace {

constexpr std::uint64_t kFar = std::numeric_limits<std::uint64_t>::max();

/// Sign-and-magnitude bits as a number that grows with the float; both zeros are 0.
std::int64_t ordered(std::int64_t bits, std::int64_t sign) {
  return bits < 0 ? sign - bits : bits;
}

std::uint64_t distance(std::int64_t a, std::int64_t b) {
  return a > b ? static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)
               : static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
}

}  // namespace

void NumberSummary::add(double value) {
  if (!std::isfinite(value)) {
    ++not_finite_;
    return;
  }
  ++finite_;
  least_ = finite_ == 1 ? value : std::min(least_, value);
  greatest_ = finite_ == 1 ? value : std::max(greatest_, value);
  // Shares and not a sum: many large values must not overflow.
  const auto n = static_cast<double>(finite_);
  mean_ += value / n - mean_ / n;
}

std::uint64_t ulp_distance(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : kFar;
  constexpr std::int64_t kSign = std::numeric_limits<std::int32_t>::min();
  return distance(ordered(std::bit_cast<std::int32_t>(a), kSign),
                  ordered(std::bit_cast<std::int32_t>(b), kSign));
}

std::uint64_t ulp_distance(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : kFar;
  constexpr std::int64_t kSign = std::numeric_limits<std::int64_t>::min();
  return distance(ordered(std::bit_cast<std::int64_t>(a), kSign),
                  ordered(std::bit_cast<std::int64_t>(b), kSign));
}

void Difference::add_pair(double a, double b) {
  ++elements;
  if (a == b || (std::isnan(a) && std::isnan(b))) return;
  ++differing;
  const bool finite = std::isfinite(a) && std::isfinite(b);
  const double apart = finite ? std::abs(a - b) : std::numeric_limits<double>::infinity();
  const double larger = std::max(std::abs(a), std::abs(b));
  max_abs = std::max(max_abs, apart);
  max_relative = std::max(max_relative, finite ? apart / larger : apart);
}

}  // namespace tenfold::tool
