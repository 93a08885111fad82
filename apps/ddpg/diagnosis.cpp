#include "ddpg/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tenfold::ddpg {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kHuber = 1.345;       // robust standard deviations
constexpr double kDeviation = 0.6745;  // median magnitude of a standard normal number
constexpr int kRounds = 100;

constexpr double kSaturation = 0.95;
// Beyond 9.01 float32's tanh is exactly 1 and passes no gradient. Good policies of tasks that want
// full throttle come near that on average (cart-pole: 7.8), those of twice that are stuck.
constexpr double kPretanh = 20;
constexpr double kGross = 0.1;  // of the largest possible return

double median(std::vector<double> values) {
  const std::size_t middle = values.size() / 2;
  std::sort(values.begin(), values.end());
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Line {
  double slope = 0, mean_x = 0, mean_y = 0;
  double rest(const Calibration& point) const {
    return std::abs(point.estimated - mean_y - slope * (point.returned - mean_x));
  }
};

// Weighted least squares through (returned, estimated).
Line weighted_line(const std::vector<Calibration>& pairs, const std::vector<double>& weights) {
  Line line;
  double sum = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    sum += weights[i];
    line.mean_x += weights[i] * pairs[i].returned;
    line.mean_y += weights[i] * pairs[i].estimated;
  }
  line.mean_x /= sum;
  line.mean_y /= sum;
  double products = 0, squares = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double x = pairs[i].returned - line.mean_x;
    products += weights[i] * x * (pairs[i].estimated - line.mean_y);
    squares += weights[i] * x * x;
  }
  line.slope = squares > 0 ? products / squares : kNaN;
  return line;
}

double huber_slope(const std::vector<Calibration>& pairs, double spread) {
  std::vector<double> weights(pairs.size(), 1.0), rest(pairs.size());
  Line line;
  for (int round = 0; round < kRounds; ++round) {
    line = weighted_line(pairs, weights);
    std::transform(pairs.begin(), pairs.end(), rest.begin(),
                   [&](const Calibration& each) { return line.rest(each); });
    const double bound = kHuber * median(rest) / kDeviation;
    if (!(bound > 1e-9 * spread)) break;  // all on the line
    std::transform(rest.begin(), rest.end(), weights.begin(),
                   [&](double each) { return bound / std::max(each, bound); });
  }
  return line.slope;
}

}  // namespace

CalibrationFit fit_calibration(const std::vector<Calibration>& pairs) {
  CalibrationFit fit{kNaN, kNaN, kNaN, kNaN};
  if (pairs.empty()) return fit;
  const auto count = static_cast<double>(pairs.size());
  double estimated = 0, returned = 0;
  fit.largest_returned = 0;
  for (const Calibration& each : pairs) {
    estimated += each.estimated;
    returned += each.returned;
    fit.largest_returned = std::max(fit.largest_returned, std::abs(each.returned));
  }
  fit.estimated = estimated / count;
  fit.bias = (estimated - returned) / count;
  double squares_x = 0, squares_y = 0;
  for (const Calibration& each : pairs) {
    squares_x += std::pow(each.returned - returned / count, 2);
    squares_y += std::pow(each.estimated - estimated / count, 2);
  }
  // Returns that agree to six digits, a policy that holds still, define no slope.
  const double spread = std::sqrt(squares_x / count);
  if (pairs.size() < 3 || !(spread > 1e-6 * fit.largest_returned)) return fit;
  fit.slope = huber_slope(pairs, std::sqrt(squares_y / count));
  return fit;
}

std::vector<std::string> Diagnosis::look(const Signs& signs) {
  std::vector<std::string> found;
  if (!saturated_ && signs.saturation > kSaturation) {
    saturated_ = true;
    found.push_back(
        fmt::format("{:.0f}% of the policy's actions are saturated, it can hardly learn on: lower "
                    "--lr-actor, scale the rewards down (--reward-scale), or hold it back with "
                    "--preactivation-penalty 1e-3",
                    100 * signs.saturation));
  }
  if (!stuck_ && signs.pretanh > kPretanh) {
    stuck_ = true;
    found.push_back(
        fmt::format("the policy's outputs before its tanh are {:.1f} on average; beyond 9 no "
                    "gradient comes back through it: start again with --preactivation-penalty 1e-3 "
                    "or a lower --lr-actor",
                    signs.pretanh));
  }
  const CalibrationFit& fit = signs.fit;
  const bool beyond_what_is_possible =
      !std::isfinite(signs.largest_return) || fit.bias > kGross * signs.largest_return;
  if (!overestimates_ && signs.learning && fit.bias > fit.largest_returned &&
      beyond_what_is_possible) {
    overestimates_ = true;
    found.push_back(
        fmt::format("Q promises {:.3g} on average where {:.3g} followed: it overestimates grossly, "
                    "and the policy follows it; lower --lr-critic, --tau or --gamma",
                    fit.estimated, fit.estimated - fit.bias));
  }
  return found;
}

}  // namespace tenfold::ddpg
