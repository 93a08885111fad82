// The acrobot of Sutton (1996) with the constants and equations ("book") of Gymnasium's Acrobot-v1.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "env/games/game_batch.hpp"

namespace tenfold::env::games {

/// Two links of 1 kg and 1 m, their centres of mass in the middle, moments of inertia 1 kg m^2; the
/// joint between them turns with -1, 0 or 1 Nm (actions 0, 1, 2). One step is 0.2 s of
/// Runge-Kutta 4. Reward -1 a step; the tip higher than 1 m above the hand ends it, with 0.
/// Observation: cosine and sine of both angles (the first from hanging, the second from the first
/// link), their rates.
struct Acrobot {
  static constexpr std::int64_t kChoices = 3;
  static constexpr double kGravity = 9.8, kSeconds = 0.2;
  static constexpr double kFastest1 = 4 * std::numbers::pi, kFastest2 = 9 * std::numbers::pi;

  struct Rules {};
  static Rules rules(const Settings&) { return {}; }
  static Shape shape(const Rules&) { return numbers(6); }

  double angle1, angle2, rate1, rate2;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    angle1 = stream.uniform(-0.1, 0.1);
    angle2 = stream.uniform(-0.1, 0.1);
    rate1 = stream.uniform(-0.1, 0.1);
    rate2 = stream.uniform(-0.1, 0.1);
  }

  TENFOLD_FUNCTION Outcome step(const Rules&, int action) {
    integrate(action - 1, kSeconds);
    angle1 = within_pi(angle1);
    angle2 = within_pi(angle2);
    rate1 = std::clamp(rate1, -kFastest1, kFastest1);
    rate2 = std::clamp(rate2, -kFastest2, kFastest2);
    const bool up = -std::cos(angle1) - std::cos(angle1 + angle2) > 1;
    return {up ? 0.0 : -1.0, up};
  }

  TENFOLD_FUNCTION void observe(const Rules&, float* out) const {
    out[0] = static_cast<float>(std::cos(angle1));
    out[1] = static_cast<float>(std::sin(angle1));
    out[2] = static_cast<float>(std::cos(angle2));
    out[3] = static_cast<float>(std::sin(angle2));
    out[4] = static_cast<float>(rate1);
    out[5] = static_cast<float>(rate2);
  }

  /// One step of Runge-Kutta 4, without the limits of rates.
  TENFOLD_FUNCTION void integrate(double torque, double seconds) {
    const Change a = change(*this, torque);
    const Change b = change(moved(a, seconds / 2), torque);
    const Change c = change(moved(b, seconds / 2), torque);
    const Change d = change(moved(c, seconds), torque);
    *this = moved({a.angle1 + 2 * b.angle1 + 2 * c.angle1 + d.angle1,
                   a.angle2 + 2 * b.angle2 + 2 * c.angle2 + d.angle2,
                   a.rate1 + 2 * b.rate1 + 2 * c.rate1 + d.rate1,
                   a.rate2 + 2 * b.rate2 + 2 * c.rate2 + d.rate2},
                  seconds / 6);
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.angle1);
    visit(self.angle2);
    visit(self.rate1);
    visit(self.rate2);
  }

 private:
  struct Change {  // per second
    double angle1, angle2, rate1, rate2;
  };

  static TENFOLD_FUNCTION double within_pi(double angle) {
    return std::remainder(angle, 2 * std::numbers::pi);
  }

  TENFOLD_FUNCTION Acrobot moved(const Change& by, double seconds) const {
    return {angle1 + seconds * by.angle1, angle2 + seconds * by.angle2, rate1 + seconds * by.rate1,
            rate2 + seconds * by.rate2};
  }

  // M(angles) (rate1', rate2') = (0, torque) - velocity terms - gravity, solved for the
  // accelerations.
  static TENFOLD_FUNCTION Change change(const Acrobot& at, double torque) {
    const double cosine = std::cos(at.angle2), sine = std::sin(at.angle2);
    const double inertia1 = 3.5 + cosine, coupling = 1.25 + 0.5 * cosine, inertia2 = 1.25;
    const double fall2 = 0.5 * kGravity * std::sin(at.angle1 + at.angle2);
    const double fall1 = 1.5 * kGravity * std::sin(at.angle1) + fall2;
    const double force1 = 0.5 * sine * at.rate2 * (at.rate2 + 2 * at.rate1) - fall1;
    const double force2 = torque - 0.5 * sine * at.rate1 * at.rate1 - fall2;
    const double determinant = inertia1 * inertia2 - coupling * coupling;
    return {at.rate1, at.rate2, (inertia2 * force1 - coupling * force2) / determinant,
            (inertia1 * force2 - coupling * force1) / determinant};
  }
};

}  // namespace tenfold::env::games
