// The racing task against geometry and mechanics that can be written down.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "env/racing/racing_batch.hpp"
#include "env_play.hpp"

namespace tenfold::env::racing {
namespace {

using std::numbers::pi;

constexpr CarFacts kCar;

// v' = A (1 - (v / top)^2) from rest: v = top tanh(A t / top), x = top^2 / A ln cosh(A t / top).
TEST(Car, FullThrottleOnTheStraight) {
  CarState car;
  car.heading = 0.3;
  drive(kCar, car, 0, 1, 6);
  const double t = kCar.throttle * 6 / kCar.top_speed;
  const double way = kCar.top_speed * kCar.top_speed / kCar.throttle * std::log(std::cosh(t));
  EXPECT_NEAR(car.speed, kCar.top_speed * std::tanh(t), 1e-3);
  EXPECT_NEAR(car.x, way * std::cos(0.3), 1e-2);
  EXPECT_NEAR(car.y, way * std::sin(0.3), 1e-2);
  EXPECT_EQ(car.heading, 0.3);
  drive(kCar, car, 0, 1, 200);
  EXPECT_NEAR(car.speed, kCar.top_speed, 1e-6) << "and no faster";
}

// v' = -(B + A (v / top)^2): time to stop top / sqrt(A B) atan(v sqrt(A / B) / top), way
// top^2 / (2 A) ln(1 + A v^2 / (B top^2)).
TEST(Car, BrakesToAStopAndStandsThere) {
  CarState car;
  car.speed = 40;
  const double a = kCar.throttle, b = kCar.brake, top = kCar.top_speed;
  const double time = top / std::sqrt(a * b) * std::atan(40 * std::sqrt(a / b) / top);
  const double way = top * top / (2 * a) * std::log(1 + a * 40 * 40 / (b * top * top));
  drive(kCar, car, 0, -1, time - 0.1);
  EXPECT_NEAR(car.speed, 0.1 * b, 2e-3);
  drive(kCar, car, 0, -1, 3);
  EXPECT_EQ(car.speed, 0);
  EXPECT_NEAR(car.x, way, 5e-3);
  EXPECT_EQ(car.y, 0);
}

// A pedal that cancels the drag keeps the speed; the circle's radius is wheelbase / tan(steering).
TEST(Car, DrivesTheCircleOfItsSteering) {
  CarState car;
  car.speed = 8;
  car.steering = 0.25;
  const double pedal = 8 / kCar.top_speed * (8 / kCar.top_speed);
  const double radius = kCar.wheelbase / std::tan(0.25);
  const double lap = 2 * pi * radius / 8;
  drive(kCar, car, 0.25 / kCar.most_steering, pedal, lap / 4);
  EXPECT_NEAR(car.x, radius, 1e-9);
  EXPECT_NEAR(car.y, radius, 1e-9);
  EXPECT_NEAR(car.heading, pi / 2, 1e-9);
  EXPECT_NEAR(car.speed, 8, 1e-9);
  EXPECT_EQ(slip(kCar, car), 0) << "8^2 / 10.2 is less than the grip";
}

// Beyond its grip the car follows the widest circle that the tyres allow: v^2 / sqrt(g^2 - f^2).
TEST(Car, SlidesOnTheCircleOfItsGrip) {
  for (const double side : {1.0, -1.0}) {
    CarState car;
    car.speed = 30;
    car.steering = side * kCar.most_steering;
    const double pedal = 0.36, force = pedal * kCar.throttle;
    ASSERT_NEAR(force, kCar.throttle * 0.6 * 0.6, 1e-12) << "holds 30 m/s";
    const double radius = 900 / std::sqrt(kCar.grip * kCar.grip - force * force);
    drive(kCar, car, side, pedal, pi * radius / 30);
    EXPECT_NEAR(car.x, 0, 1e-6);
    EXPECT_NEAR(car.y, side * 2 * radius, 1e-6);
    EXPECT_NEAR(slip(kCar, car), 900 * std::tan(0.4) / 2.6 / 10 - 1, 1e-9);
  }
}

TEST(Car, BrakingTakesFromTheGripInBends) {
  const auto turned = [](double pedal) {
    CarState car;
    car.speed = 30;
    car.steering = 0.4;
    drive(kCar, car, 1, pedal, 0.01);
    return car.heading * car.speed / 0.01;  // sideways acceleration, nearly
  };
  EXPECT_NEAR(turned(0), 10, 0.1);
  EXPECT_NEAR(turned(-1), std::sqrt(100 - 81), 0.1);
  EXPECT_NEAR(turned(1), std::sqrt(100 - 64), 0.1);
}

TEST(Car, WheelsTurnAtTheirRate) {
  CarState car;
  drive(kCar, car, 1, 0, 0.1);
  EXPECT_NEAR(car.steering, 0.2, 1e-12);
  drive(kCar, car, 1, 0, 0.15);
  EXPECT_NEAR(car.steering, 0.4, 1e-12);
  drive(kCar, car, -1, 0, 0.1);
  EXPECT_NEAR(car.steering, 0.2, 1e-12);
}

// The spline through 12 points of a circle leaves it by less than 1e-3 of its radius.
TEST(Track, OfACircleIsACircle) {
  const Track track(Track::circle(100));
  EXPECT_NEAR(track.length(), 2 * pi * 100, 0.1);
  for (double along = 0; along < track.length(); along += 7.3) {
    const Point point = track.at(along);
    const double angle = along / track.length() * 2 * pi;
    EXPECT_NEAR(std::hypot(point.x, point.y), 100, 0.1);
    EXPECT_NEAR(std::remainder(std::atan2(point.y, point.x) - angle, 2 * pi), 0, 1e-3);
    const Place centre = track.centre(along);
    EXPECT_NEAR(centre.curvature, 0.01, 3e-4);
    EXPECT_NEAR(std::remainder(centre.heading - angle - pi / 2, 2 * pi), 0, 2e-3);
    EXPECT_NEAR(std::hypot(track.at(along, 4).x, track.at(along, 4).y), 96, 0.1)
        << "left is inside";
  }
}

// From the middle, at an angle a to the centre line, the inner edge is seen if the sine of the
// angle to the outward normal allows, else the outer one: |p + d u| = 95 or 105.
TEST(Track, BeamsMeasureACircleAsGeometryDoes) {
  const Track track(Track::circle(100));
  const double directions[] = {0, 0.2, 0.5, 1.0, pi / 2, -0.1, -pi / 2, pi, 2.5};
  double distances[9];
  const Point from = track.at(0);  // at (100, 0), heading pi / 2
  std::vector<double> turned(std::begin(directions), std::end(directions));
  for (double& each : turned) each += pi / 2;
  track.beams(from, 0, turned, 100, distances);
  for (int i = 0; i < 9; ++i) {
    const double outwards = -std::sin(directions[i]) * 100;  // p . u
    const double inner = outwards * outwards - 1e4 + 95.0 * 95.0;
    const double expected = inner >= 0 && outwards < 0
                                ? -outwards - std::sqrt(inner)
                                : -outwards + std::sqrt(outwards * outwards - 1e4 + 105.0 * 105.0);
    EXPECT_NEAR(distances[i], expected, 0.02 * expected + 0.05) << "direction " << directions[i];
  }
  track.beams(from, 0, turned, 3, distances);
  for (const double each : distances) EXPECT_EQ(each, 3) << "nothing is that near";
}

TEST(Track, LocateFindsWhatAtMade) {
  base::Stream stream(3, base::Purpose::kTest, 0, 0);
  for (int k = 0; k < 20; ++k) {
    const Track track(Track::random(stream));
    for (int i = 0; i < 50; ++i) {
      const double along = stream.uniform(0, track.length()), offset = stream.uniform(-5, 5);
      const Place place = track.locate(track.at(along, offset), along + stream.uniform(-20, 20));
      EXPECT_NEAR(track.ahead(along, place.along), 0, 0.3);
      EXPECT_NEAR(place.offset, offset, 0.03);
    }
  }
}

// The curvature of samples is that of their headings and of their places, summed to one turn.
TEST(Track, RandomOnesAreClosedSmoothAndNotTooSharp) {
  base::Stream stream(4, base::Purpose::kTest, 0, 0);
  double sharpest = 0;
  for (int k = 0; k < 200; ++k) {
    const Track track(Track::random(stream));
    ASSERT_LT(track.sharpest(), 1.02 / Track::kLeastRadius);
    sharpest = std::max(sharpest, track.sharpest());
    double turn = 0;
    const double step = track.length() / 3000;
    for (int i = 0; i < 3000; ++i) {
      const double along = i * step;
      const Place a = track.centre(along), b = track.centre(along + step);
      const double change = std::remainder(b.heading - a.heading, 2 * pi);
      ASSERT_NEAR(change, step * (a.curvature + b.curvature) / 2, 0.01);
      turn += change;
      const Point from = track.at(along), to = track.at(along + step);
      ASSERT_NEAR(std::hypot(to.x - from.x, to.y - from.y), step, 0.01 * step);
    }
    EXPECT_NEAR(turn, 2 * pi, 1e-9);
  }
  EXPECT_GT(sharpest, 0.8 / Track::kLeastRadius) << "some must be hard";
}

// A row on a circle of radius 100, or wherever told.
class Drive {
 public:
  explicit Drive(const EnvOptions& options = {}) : env_(make_env("torcs", 1, options)) {
    start_all(*env_, 1);
    std::fill_n(state_.begin(), Track::kPoints, 100.0);
    at(0, 0, 0, 0);
  }
  void at(double along, double offset, double turn, double speed, double steering = 0) {
    const Point point = circle_.at(along, offset);
    const double rest[] = {
        point.x, point.y, circle_.centre(along).heading + turn, speed, steering, along, 0, 0, 0, 0};
    std::copy(std::begin(rest), std::end(rest), state_.begin() + Track::kPoints);
    env_->load(0, state_);
  }
  float step(float steer, float pedal) {
    env_->step(std::vector<float>{steer, pedal});
    return env_->rewards()[0];
  }
  double number(std::size_t i) const { return state_of(*env_, 0)[Track::kPoints + i]; }
  double along() const { return number(5); }
  double progress() const { return number(6); }
  const Track& circle() const { return circle_; }
  BatchEnv& env() { return *env_; }
  float seen(std::size_t i) const { return env_->observations()[i]; }

 private:
  std::unique_ptr<BatchEnv> env_;
  Track circle_ = Track(Track::circle(100));
  std::vector<double> state_ = std::vector<double>(Track::kPoints + 10);
};

const float kTurn = static_cast<float>(std::atan(kCar.wheelbase / 100) / kCar.most_steering);
const float kHold20 = static_cast<float>(20 * 20 / (kCar.top_speed * kCar.top_speed));

// Once round at 20 m/s: every step brings 1 m and 20 / 50 of reward.
TEST(Racing, ProgressAndRewardOfALap) {
  Drive drive({.horizon = 10000});
  drive.at(0, 0, 0, 20, kTurn * kCar.most_steering);
  const int lap = static_cast<int>(std::ceil(drive.circle().length()));
  for (int k = 0; k < lap; ++k) {
    ASSERT_NEAR(drive.step(kTurn, kHold20), 0.4, 2e-3);
    ASSERT_NEAR(drive.progress(), k + 1, 0.1);
  }
  EXPECT_LT(drive.along(), 2) << "a new lap";
  EXPECT_NEAR(drive.seen(4) * Track::kHalfWidth, 0, 0.2) << "still in the middle";
}

TEST(Racing, DrivingBackwardsTakesProgressAndCosts) {
  Drive drive;
  drive.at(3, 0, pi, 20, -kTurn * kCar.most_steering);
  for (int k = 0; k < 10; ++k) EXPECT_NEAR(drive.step(-kTurn, kHold20), -0.4, 2e-3);
  EXPECT_NEAR(drive.progress(), -10, 0.05);
  EXPECT_NEAR(drive.along(), drive.circle().length() - 7, 0.05) << "across the line";
}

// Straight into the wall at 30 degrees: one point less, the speed along the wall remains.
TEST(Racing, HittingTheEdgeCostsOneAndTheSpeedAcross) {
  for (const double side : {1.0, -1.0}) {
    Drive drive;
    drive.at(50, side * 4, side * pi / 6, 20);
    const float reward = drive.step(0, kHold20);
    const double kept = 20 * std::cos(pi / 6);
    EXPECT_NEAR(reward, kept / 50 - 1, 0.01);
    EXPECT_NEAR(drive.number(3), kept, 0.3) << "the track bends a little on the way";
    EXPECT_NEAR(drive.seen(4) * Track::kHalfWidth, side * (5 - kCar.half_width), 1e-3);
    EXPECT_NEAR(drive.seen(3), 0, 1e-5) << "along the wall";
    drive.step(static_cast<float>(-side), 0);
    for (int k = 0; k < 5; ++k)
      EXPECT_GT(drive.step(static_cast<float>(-side), 0), 0) << "leaves it";
  }
}

TEST(Racing, AWallAheadStopsTheCarButDoesNotHoldIt) {
  Drive drive;
  drive.at(50, 4, pi / 2, 20);
  EXPECT_NEAR(drive.step(0, 0), -1, 0.01);
  EXPECT_NEAR(drive.number(3), 0, 0.3);
  for (int k = 0; k < 20; ++k) drive.step(-0.2F, 1);
  EXPECT_GT(drive.number(3), 5);
}

TEST(Racing, ObservationOfAPlace) {
  Drive drive;
  drive.at(50, 2.5, 0.3, 25, -0.1);
  const double expected[] = {
      0.5, 625 * std::tan(0.1) / 2.6 / 10 - 1, std::cos(0.3), std::sin(0.3), 0.5, -0.25};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(drive.seen(i), expected[i], 2e-3) << i;
  for (std::size_t i = 6; i < 11; ++i) EXPECT_NEAR(drive.seen(i), 0.15, 5e-3) << "1/100 times 15";
  EXPECT_NEAR(drive.seen(11 + 18) * 100, 2.5 / std::cos(0.3), 0.05) << "to the left";
  EXPECT_NEAR(drive.seen(11) * 100, 7.5 / std::cos(0.3), 0.3) << "to the right";
  EXPECT_EQ(drive.seen(30), 1);
}

// Standing still is no progress, nor is going round a metre or back where one has been.
TEST(Racing, EndsAfter500StepsWithoutProgress) {
  Drive drive;
  for (int k = 1; k <= 500; ++k) {
    EXPECT_EQ(drive.step(0, -1), 0);
    ASSERT_EQ(drive.env().terminal()[0], k == 500);
    ASSERT_NEAR(drive.seen(30), 1 - k / 500.0, 1e-6);
  }
  EXPECT_EQ(drive.env().truncated()[0], 0);
}

TEST(Racing, AMetreOfProgressGivesNewPatience) {
  Drive drive({.horizon = 2000});
  for (int k = 0; k < 400; ++k) drive.step(0, -1);
  while (drive.progress() < 1) drive.step(kTurn, 0.5F);
  EXPECT_EQ(drive.seen(30), 1);
  int steps = 0;
  for (; drive.env().terminal()[0] == 0; ++steps) drive.step(kTurn, -1);
  EXPECT_NEAR(steps, 500, 5) << "the car rolls a little first";
}

TEST(Racing, GoesOnWithoutProgressWhenTold) {
  Drive drive({.horizon = 700, .terminate_on_fall = false});
  for (int k = 0; k < 699; ++k) drive.step(0, -1);
  EXPECT_EQ(drive.env().terminal()[0], 0);
  EXPECT_EQ(drive.seen(30), 0);
  drive.step(0, -1);
  EXPECT_EQ(drive.env().truncated()[0], 1);
}

}  // namespace
}  // namespace tenfold::env::racing
