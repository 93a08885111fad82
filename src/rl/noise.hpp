// Exploration noise for continuous actions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/philox.hpp"

namespace tenfold::rl {

enum class NoiseKind { kNone, kGaussian, kOrnsteinUhlenbeck };
/// How theta and sigma turn into a step: kUnit x += theta (mu - x) + sigma xi; kDt x += theta (mu -
/// x) dt + sigma sqrt(dt) xi; kExact the process's exact transition over dt.
enum class OuScheme { kUnit, kDt, kExact };

struct NoiseOptions {
  NoiseKind kind = NoiseKind::kOrnsteinUhlenbeck;
  OuScheme scheme = OuScheme::kUnit;
  double theta = 0.15;  ///< Lillicrap et al. 2016, section 7
  double sigma = 0.2;
  double dt = 1e-2;  ///< used by kDt and kExact
};

/// Throws Code::kUsage for words that are not a kind or scheme.
NoiseKind noise_kind(const std::string& word);  ///< "ou" | "gauss" | "none"
OuScheme ou_scheme(const std::string& word);    ///< "unit" | "dt" | "exact"

/// Noise of rows independent processes with width components each, mean 0, in action units.
class ExplorationNoise {
 public:
  ExplorationNoise(const NoiseOptions& options, std::size_t rows, std::size_t width);
  void reset(std::size_t row);  ///< back to the mean: at the start of an episode
  /// Advances one row by one step and adds its noise to action [width].
  void add(std::size_t row, base::Stream& stream, std::span<float> action);
  double* state() { return state_.data(); }  ///< [rows, width], for checkpoints
  /// Standard deviation of the stationary distribution; 0 for none.
  static double stationary_deviation(const NoiseOptions& options);

 private:
  NoiseOptions options_;
  std::size_t width_;
  std::vector<double> state_;
};

}  // namespace tenfold::rl
