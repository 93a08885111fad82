// The car in a valley of Moore (1990) with the constants of Gymnasium's MountainCar-v0 and
// MountainCarContinuous-v0.
#pragma once

#include <algorithm>
#include <cmath>

#include "env/games/game_batch.hpp"

namespace tenfold::env::games {

/// Place and velocity on the road sin(3x); no units.
struct Valley {
  static constexpr double kGravity = 0.0025, kFastest = 0.07, kLeft = -1.2, kRight = 0.6;

  double x, velocity;

  TENFOLD_FUNCTION void reset(base::Stream& stream) {
    x = stream.uniform(-0.6, -0.4);
    velocity = 0;
  }
  /// The left end is a wall that takes all of the velocity.
  TENFOLD_FUNCTION void drive(double push) {
    velocity = std::clamp(velocity + push - kGravity * std::cos(3 * x), -kFastest, kFastest);
    x = std::clamp(x + velocity, kLeft, kRight);
    if (x == kLeft && velocity < 0) velocity = 0;
  }
  TENFOLD_FUNCTION void observe(float* out) const {
    out[0] = static_cast<float>(x);
    out[1] = static_cast<float>(velocity);
  }
  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.x);
    visit(self.velocity);
  }
};

/// Pushes to the left (0), not (1) or to the right (2). Reward -1 a step until x >= 0.5, where the
/// task ends. Observation: place, velocity.
struct MountainCar {
  static constexpr std::int64_t kChoices = 3;
  static constexpr double kPush = 0.001, kGoal = 0.5;

  struct Rules {};
  static Rules rules(const Settings&) { return {}; }
  static Shape shape(const Rules&) { return numbers(2); }

  Valley car;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) { car.reset(stream); }
  TENFOLD_FUNCTION Outcome step(const Rules&, int action) {
    car.drive((action - 1) * kPush);
    return {-1, car.x >= kGoal && car.velocity >= 0};
  }
  TENFOLD_FUNCTION void observe(const Rules&, float* out) const { car.observe(out); }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    Valley::each(self.car, visit);
  }
};

/// One push in [-1, 1]. Reward -0.1 push^2 a step and 100 at x >= 0.45, where the task ends.
struct MountainCarContinuous {
  static constexpr std::int64_t kChoices = 0;
  static constexpr double kPush = 0.0015, kGoal = 0.45;

  struct Rules {};
  static Rules rules(const Settings&) { return {}; }
  static Shape shape(const Rules&) { return numbers(2); }

  Valley car;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) { car.reset(stream); }
  TENFOLD_FUNCTION Outcome step(const Rules&, double action) {
    car.drive(action * kPush);
    const bool there = car.x >= kGoal && car.velocity >= 0;
    return {(there ? 100 : 0) - 0.1 * action * action, there};
  }
  TENFOLD_FUNCTION void observe(const Rules&, float* out) const { car.observe(out); }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    Valley::each(self.car, visit);
  }
};

}  // namespace tenfold::env::games
