// What goes wrong in actor-critic learning, seen from its own numbers, and what to change then.
#pragma once

#include <string>
#include <vector>

#include "ddpg/evaluation.hpp"

namespace tenfold::ddpg {

/// How the line estimated = slope * returned + ... lies, and how far off Q is on average.
struct CalibrationFit {
  double slope = 0;      ///< Huber's fit; NaN where returns do not vary or there are fewer than 3
  double bias = 0;       ///< mean of estimated - returned; NaN without states
  double estimated = 0;  ///< mean of estimated; NaN without states
  double largest_returned = 0;  ///< largest magnitude
};

/// Slope by Huber's loss with 1.345 robust standard deviations (Huber 1981; the constant of 95%
/// efficiency), found by reweighted least squares from the ordinary fit on.
CalibrationFit fit_calibration(const std::vector<Calibration>& pairs);

/// One evaluation's signs of trouble. NaN: not known.
struct Signs {
  double saturation = 0;  ///< fraction of mu's actions beyond 0.99
  double pretanh = 0;     ///< mean magnitude before the tanh
  CalibrationFit fit{};   ///< in units of scaled rewards, as Q
  double largest_return =
      0;                 ///< that discounted rewards of the task can add up to; may be infinite
  bool learning = true;  ///< false before the first update: Q then says nothing
};

/// Finds what is wrong, each kind once in its life.
class Diagnosis {
 public:
  /// Messages for a user: what was seen, why it matters, which options to change.
  std::vector<std::string> look(const Signs& signs);

 private:
  bool saturated_ = false, stuck_ = false, overestimates_ = false;
};

}  // namespace tenfold::ddpg
