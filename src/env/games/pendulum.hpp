// The pendulum of Gymnasium's Pendulum-v1, from anywhere to upright.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "env/games/game_batch.hpp"

namespace tenfold::env::games {

/// One torque in [-1, 1] of 2 Nm on a rod of 1 kg and 1 m (g = 10 m/s^2): the rate grows by
/// (15 sin(angle) + 3 torque) 0.05 s, at most 8 rad/s, then the angle by the new rate. Angle 0 is
/// upright. Reward of the state before: -(angle^2 + 0.1 rate^2 + 0.001 torque^2), the angle taken
/// in
/// [-pi, pi]. Observation: cosine and sine of the angle, rate.
struct Pendulum {
  static constexpr std::int64_t kChoices = 0;
  static constexpr double kSeconds = 0.05, kStrongest = 2, kFastest = 8;
  static constexpr double kWorst = std::numbers::pi * std::numbers::pi + 0.1 * kFastest * kFastest +
                                   0.001 * kStrongest * kStrongest;

  struct Rules {};
  static Rules rules(const Settings&) { return {}; }
  static Shape shape(const Rules&) { return numbers(3); }

  double angle, rate;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    angle = stream.uniform(-std::numbers::pi, std::numbers::pi);
    rate = stream.uniform(-1, 1);
  }

  TENFOLD_FUNCTION Outcome step(const Rules&, double action) {
    const double torque = kStrongest * action;
    const double tilt = std::remainder(angle, 2 * std::numbers::pi);
    const double cost = tilt * tilt + 0.1 * rate * rate + 0.001 * torque * torque;
    rate = std::clamp(rate + (15 * std::sin(angle) + 3 * torque) * kSeconds, -kFastest, kFastest);
    angle += rate * kSeconds;
    return {-cost, false};
  }

  TENFOLD_FUNCTION void observe(const Rules&, float* out) const {
    out[0] = static_cast<float>(std::cos(angle));
    out[1] = static_cast<float>(std::sin(angle));
    out[2] = static_cast<float>(rate);
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.angle);
    visit(self.rate);
  }
};

}  // namespace tenfold::env::games
