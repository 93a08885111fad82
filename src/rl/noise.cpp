#include "rl/noise.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace tenfold::rl {

using base::Code;
using base::Error;

namespace {

// x <- keep * x + kick * xi: every scheme is one of these.
struct Transition {
  double keep = 0;
  double kick = 0;
};

Transition transition(const NoiseOptions& options) {
  if (options.kind == NoiseKind::kNone) return {};
  if (options.kind == NoiseKind::kGaussian) return {0.0, options.sigma};
  switch (options.scheme) {
    case OuScheme::kUnit:
      return {1.0 - options.theta, options.sigma};
    case OuScheme::kDt:
      return {1.0 - options.theta * options.dt, options.sigma * std::sqrt(options.dt)};
    case OuScheme::kExact:
      return {std::exp(-options.theta * options.dt),
              options.sigma * std::sqrt(-std::expm1(-2.0 * options.theta * options.dt) /
                                        (2.0 * options.theta))};
  }
  return {};
}

void check_options(const NoiseOptions& options) {
  const auto need = [](bool condition, const std::string& message, const char* hint) {
    if (!condition) throw Error(Code::kUsage, "exploration noise: " + message, hint);
  };
  need(std::isfinite(options.sigma) && options.sigma >= 0,
       fmt::format("sigma = {} must be a finite number of at least 0", options.sigma),
       "Lillicrap et al. use 0.2");
  if (options.kind != NoiseKind::kOrnsteinUhlenbeck) return;
  need(std::isfinite(options.theta) && options.theta > 0,
       fmt::format("theta = {} must be positive", options.theta), "Lillicrap et al. use 0.15");
  if (options.scheme == OuScheme::kUnit) {
    need(options.theta < 2,
         fmt::format("theta = {} must lie below 2 for the scheme 'unit'; beyond, the noise grows "
                     "without bound",
                     options.theta),
         "Lillicrap et al. use 0.15");
    return;
  }
  need(std::isfinite(options.dt) && options.dt > 0,
       fmt::format("dt = {} must be positive", options.dt), "Common is 0.01");
  need(options.scheme == OuScheme::kExact || options.theta * options.dt < 2,
       fmt::format("theta * dt = {} must lie below 2 for the scheme 'dt'",
                   options.theta * options.dt),
       "Take a smaller dt, or the scheme 'exact'");
}

}  // namespace

NoiseKind noise_kind(const std::string& word) {
  if (word == "ou") return NoiseKind::kOrnsteinUhlenbeck;
  if (word == "gauss") return NoiseKind::kGaussian;
  if (word == "none") return NoiseKind::kNone;
  throw Error(Code::kUsage, fmt::format("'{}' is no kind of exploration noise", word),
              "Use ou, gauss or none");
}

OuScheme ou_scheme(const std::string& word) {
  if (word == "unit") return OuScheme::kUnit;
  if (word == "dt") return OuScheme::kDt;
  if (word == "exact") return OuScheme::kExact;
  throw Error(Code::kUsage, fmt::format("'{}' is no scheme of the Ornstein-Uhlenbeck noise", word),
              "Use unit, dt or exact");
}

ExplorationNoise::ExplorationNoise(const NoiseOptions& options, std::size_t rows, std::size_t width)
    : options_(options), width_(width), state_(rows * width, 0.0) {
  check_options(options_);
}

void ExplorationNoise::reset(std::size_t row) {
  base::require((row + 1) * width_ <= state_.size(), "ExplorationNoise: no such row");
  std::fill_n(state_.begin() + static_cast<std::ptrdiff_t>(row * width_), width_, 0.0);
}

void ExplorationNoise::add(std::size_t row, base::Stream& stream, std::span<float> action) {
  base::require((row + 1) * width_ <= state_.size() && action.size() == width_,
                "ExplorationNoise: no such row, or an action of the wrong width");
  if (options_.kind == NoiseKind::kNone) return;
  const Transition step = transition(options_);
  for (std::size_t i = 0; i < width_; ++i) {
    double& x = state_[row * width_ + i];
    x = step.keep * x + step.kick * stream.normal();
    action[i] += static_cast<float>(x);
  }
}

double ExplorationNoise::stationary_deviation(const NoiseOptions& options) {
  const Transition step = transition(options);
  return step.kick / std::sqrt(1.0 - step.keep * step.keep);
}

}  // namespace tenfold::rl
