// The cart and pole of Barto, Sutton and Anderson (1983) with the constants of Gymnasium's
// CartPole-v1.
#pragma once

#include <cmath>
#include <numbers>

#include "env/games/game_batch.hpp"

namespace tenfold::env::games {

/// Pushed to the left (0) or right (1) with 10 N for 0.02 s (explicit Euler, velocities of before).
/// Reward 1 a step; ends beyond 2.4 m or 12 degrees. Observation: place (m), speed, angle (rad,
/// positive to the right), rate.
struct CartPole {
  static constexpr std::int64_t kChoices = 2;
  static constexpr double kGravity = 9.8, kPole = 0.1, kTotal = 1.1;  ///< m/s^2, kg
  static constexpr double kHalf = 0.5, kForce = 10, kSeconds = 0.02;  ///< m, N, s
  static constexpr double kFar = 2.4, kTilted = 12 * std::numbers::pi / 180;

  struct Rules {};
  static Rules rules(const Settings&) { return {}; }
  static Shape shape(const Rules&) { return numbers(4); }

  double x, speed, angle, rate;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    x = stream.uniform(-0.05, 0.05);
    speed = stream.uniform(-0.05, 0.05);
    angle = stream.uniform(-0.05, 0.05);
    rate = stream.uniform(-0.05, 0.05);
  }

  TENFOLD_FUNCTION Outcome step(const Rules&, int action) {
    const double cosine = std::cos(angle), sine = std::sin(angle);
    const double force = action == 1 ? kForce : -kForce;
    const double push = (force + kPole * kHalf * rate * rate * sine) / kTotal;
    const double turn = (kGravity * sine - cosine * push) /
                        (kHalf * (4.0 / 3.0 - kPole * cosine * cosine / kTotal));
    const double slide = push - kPole * kHalf * turn * cosine / kTotal;
    x += kSeconds * speed;
    speed += kSeconds * slide;
    angle += kSeconds * rate;
    rate += kSeconds * turn;
    return {1, std::abs(x) > kFar || std::abs(angle) > kTilted};
  }

  TENFOLD_FUNCTION void observe(const Rules&, float* out) const {
    out[0] = static_cast<float>(x);
    out[1] = static_cast<float>(speed);
    out[2] = static_cast<float>(angle);
    out[3] = static_cast<float>(rate);
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.x);
    visit(self.speed);
    visit(self.angle);
    visit(self.rate);
  }
};

}  // namespace tenfold::env::games
