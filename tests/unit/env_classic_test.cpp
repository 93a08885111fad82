// Classic control against mechanics that can be written down.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "env/games/acrobot.hpp"
#include "env/games/cartpole.hpp"
#include "env/games/mountain_car.hpp"
#include "env/games/pendulum.hpp"

namespace tenfold::env::games {
namespace {

using std::numbers::pi;

TEST(ClassicCartPole, OneStepByHand) {
  CartPole cart{0, 0, 0.05, 0};
  const Outcome outcome = cart.step({}, 1);
  EXPECT_EQ(outcome.reward, 1);
  EXPECT_FALSE(outcome.ended);
  EXPECT_EQ(cart.x, 0);
  EXPECT_NEAR(cart.speed, 0.1943705, 5e-8);
  EXPECT_EQ(cart.angle, 0.05);
  EXPECT_NEAR(cart.rate, -0.2764976, 5e-8);
}

// Newton's law for the whole (force = d/dt of momentum) and for turning about the pole's centre,
// whose moment of inertia is a third of a thin pole's m L^2 / 4: both hold for the accelerations.
TEST(ClassicCartPole, AccelerationsObeyNewton) {
  for (const double angle : {-0.2, 0.0, 0.1}) {
    for (const double rate : {-1.0, 0.5}) {
      CartPole cart{0.1, 0.2, angle, rate};
      cart.step({}, 0);
      const double slide = (cart.speed - 0.2) / 0.02, turn = (cart.rate - rate) / 0.02;
      const double across = 0.5 * (turn * std::cos(angle) - rate * rate * std::sin(angle));
      const double down = -0.5 * (turn * std::sin(angle) + rate * rate * std::cos(angle));
      EXPECT_NEAR(1.0 * slide + 0.1 * (slide + across), -10, 1e-10);
      const double side_force = 0.1 * (slide + across), up_force = 0.1 * (9.8 + down);
      EXPECT_NEAR(0.1 * 0.25 / 3 * turn,
                  0.5 * (up_force * std::sin(angle) - side_force * std::cos(angle)), 1e-12);
    }
  }
}

TEST(ClassicCartPole, EndsBeyondPlaceAndAngleOnBothSides) {
  const auto ends = [](double x, double angle) {
    return CartPole{x, 0, angle, 0}.step({}, 1).ended;
  };
  const double tilted = 12 * pi / 180;
  for (const double side : {-1.0, 1.0}) {
    EXPECT_FALSE(ends(side * 2.4, 0));
    EXPECT_TRUE(ends(side * 2.4001, 0));
    EXPECT_FALSE(ends(0, side * (tilted - 1e-9)));
    EXPECT_TRUE(ends(0, side * (tilted + 1e-9)));
  }
}

// The valley's force is -0.0025 cos 3x; at its bottom, x = -pi/6, nothing moves by itself.
TEST(ClassicMountainCar, MovesByPushAndSlope) {
  MountainCar still{{-pi / 6, 0}};
  still.step({}, 1);
  EXPECT_NEAR(still.car.velocity, 0, 1e-15);
  MountainCar pushed{{-pi / 6, 0}};
  EXPECT_EQ(pushed.step({}, 2).reward, -1);
  EXPECT_NEAR(pushed.car.velocity, 0.001, 1e-15);
  EXPECT_NEAR(pushed.car.x, -pi / 6 + 0.001, 1e-15);
  MountainCar slope{{0, 0}};
  slope.step({}, 0);
  EXPECT_NEAR(slope.car.velocity, -0.0035, 1e-15) << "the steepest place, pushed downhill";
}

TEST(ClassicMountainCar, WallsAndLimits) {
  MountainCar left{{-1.19, -0.06}};
  left.step({}, 0);
  EXPECT_EQ(left.car.x, -1.2);
  EXPECT_EQ(left.car.velocity, 0) << "the wall takes it";
  MountainCar fast{{-0.9, 0.07}};
  fast.step({}, 2);
  EXPECT_EQ(fast.car.velocity, 0.07);
  const Outcome there = MountainCar{{0.46, 0.05}}.step({}, 2);
  EXPECT_TRUE(there.ended);
  EXPECT_FALSE((MountainCar{{0.46, 0.03}}.step({}, 2).ended)) << "0.4886 is short of it";
}

// Without friction the sum of velocity^2 / 2 and the valley's height / 400 is kept but for the
// step.
TEST(ClassicMountainCar, SwingsBackToWhereItCameFrom) {
  MountainCar swing{{-0.9, 0}};
  double right = -0.9;
  for (int k = 0; k < 100; ++k) {
    swing.step({}, 1);
    right = std::max(right, swing.car.x);
  }
  EXPECT_NEAR(right, -pi / 3 + 0.9, 0.01) << "mirrored at the bottom";
}

TEST(ClassicMountainCarContinuous, PaysForPushesAndForTheGoal) {
  MountainCarContinuous pushed{{-pi / 6, 0}};
  EXPECT_NEAR(pushed.step({}, -0.5).reward, -0.025, 1e-15);
  EXPECT_NEAR(pushed.car.velocity, -0.00075, 1e-15);
  const Outcome there = MountainCarContinuous{{0.44, 0.05}}.step({}, 1);
  EXPECT_NEAR(there.reward, 99.9, 1e-12);
  EXPECT_TRUE(there.ended);
}

TEST(ClassicPendulum, OneStepAndItsCostByHand) {
  Pendulum one{pi / 2, 1};
  const Outcome outcome = one.step({}, 0.5);  // 1 Nm
  EXPECT_NEAR(outcome.reward, -(pi * pi / 4 + 0.1 + 0.001), 1e-12);
  EXPECT_NEAR(one.rate, 1 + (15 + 3) * 0.05, 1e-12);
  EXPECT_NEAR(one.angle, pi / 2 + 1.9 * 0.05, 1e-12);
  EXPECT_NEAR((Pendulum{2 * pi + 0.3, 0}.step({}, 0).reward), -0.09, 1e-12) << "modulo a turn";
  Pendulum fast{pi / 2, 7.9};
  fast.step({}, 1);
  EXPECT_EQ(fast.rate, 8);
}

// Small swings about hanging: period 2 pi sqrt(1 / 15) s. Time from one crossing to the next but
// one.
TEST(ClassicPendulum, SwingsWithThePeriodOfItsLength) {
  Pendulum hanging{pi + 0.05, 0};
  std::vector<double> crossings;
  for (int k = 0; k < 400; ++k) {
    const double before = hanging.angle - pi;
    hanging.step({}, 0);
    const double after = hanging.angle - pi;
    if (before < 0 && after >= 0) crossings.push_back((k - before / (after - before)) * 0.05);
  }
  ASSERT_GT(crossings.size(), 5U);
  const double period =
      (crossings.back() - crossings.front()) / static_cast<double>(crossings.size() - 1);
  EXPECT_NEAR(period, 2 * pi / std::sqrt(15), 0.01);
}

// Of two rods turning about a hand: 1/2 rates' M rates + heights, from the points of the masses.
double energy(const Acrobot& at) {
  const double both = at.angle1 + at.angle2, rates = at.rate1 + at.rate2;
  const double x = std::cos(at.angle1) * at.rate1 + 0.5 * std::cos(both) * rates;
  const double y = std::sin(at.angle1) * at.rate1 + 0.5 * std::sin(both) * rates;
  const double turning = at.rate1 * at.rate1 + rates * rates;  // moments of inertia 1
  const double moving = 0.25 * at.rate1 * at.rate1 + x * x + y * y;
  const double height = -0.5 * std::cos(at.angle1) - std::cos(at.angle1) - 0.5 * std::cos(both);
  return (turning + moving) / 2 + 9.8 * height;
}

// The largest change of energy in one step of a swing without torque from a multiple of this start.
double energy_lost(double swing, double seconds) {
  Acrobot at{swing, -0.5 * swing, 0.5 * swing, 0.2 * swing};
  double most = 0;
  for (int k = 0; k < 500; ++k) {
    const double before = energy(at);
    at.integrate(0, seconds);
    most = std::max(most, std::abs(energy(at) - before));
  }
  return most;
}

// The equations keep it, Runge-Kutta 4 nearly: what it loses in a step falls with the fifth power
// of the step or faster, and with the square of the swing.
TEST(ClassicAcrobot, KeepsItsEnergyWithoutTorque) {
  EXPECT_LT(energy_lost(0.02, Acrobot::kSeconds), 1e-6);
  EXPECT_LT(energy_lost(0.1, Acrobot::kSeconds / 2), 1e-6);
  EXPECT_LT(energy_lost(0.5, Acrobot::kSeconds / 8), 1e-6);
  EXPECT_LT(energy_lost(1, Acrobot::kSeconds / 16), 1e-6);
  EXPECT_LT(energy_lost(1, 0.025), energy_lost(1, 0.05) / 28);
}

TEST(ClassicAcrobot, TorqueTurnsTheSecondLinkAndEndsAreAboveTheHand) {
  Acrobot still{0, 0, 0, 0};
  EXPECT_EQ(still.step({}, 1).reward, -1);
  EXPECT_EQ(still.rate1, 0);
  still.step({}, 2);
  EXPECT_GT(still.rate2, 0);
  EXPECT_LT(still.rate1, 0) << "pushed back";
  const Outcome up = Acrobot{pi, 0.1, 0, 0}.step({}, 1);
  EXPECT_TRUE(up.ended);
  EXPECT_EQ(up.reward, 0);
  EXPECT_FALSE((Acrobot{pi / 2, 0, 0, 0}.step({}, 1).ended));
  Acrobot fast{0, 0, 100, 100};
  fast.step({}, 1);
  EXPECT_LE(std::abs(fast.rate1), 4 * pi);
  EXPECT_LE(std::abs(fast.rate2), 9 * pi);
  EXPECT_LE(std::max(std::abs(fast.angle1), std::abs(fast.angle2)), pi);
}

}  // namespace
}  // namespace tenfold::env::games
