// The car of the racing task: a kinematic bicycle whose tyres hold only so much.
#pragma once

namespace tenfold::env::racing {

/// Fixed facts of a car. All numbers are ours, of an ordinary sports car.
struct CarFacts {
  double top_speed = 50;       ///< m/s, where drag equals full throttle
  double throttle = 8;         ///< m/s^2 at rest
  double brake = 9;            ///< m/s^2
  double grip = 10;            ///< m/s^2 that the tyres give, along and across together
  double wheelbase = 2.6;      ///< m
  double most_steering = 0.4;  ///< rad of the front wheels
  double steering_rate = 2;    ///< rad/s
  double half_width = 0.9;     ///< m
};

/// The middle of the rear axle.
struct CarState {
  double x = 0, y = 0;  ///< m
  double heading = 0;   ///< rad
  double speed = 0;     ///< m/s, never backwards
  double steering = 0;  ///< rad of the front wheels, positive to the left
};

/// Drives for seconds with steer in [-1, 1] (the share of most_steering that the wheels turn to)
/// and pedal in [-1, 1] (throttle, or brake if negative). In steps of at most 10 ms: midpoint rule
/// for the speed, then the exact arc of the bicycle. Its yaw rate is speed tan(steering) /
/// wheelbase, or what the tyres leave: sideways at most sqrt(grip^2 - pedal force^2).
void drive(const CarFacts& car, CarState& state, double steer, double pedal, double seconds);

/// How much more than the grip the wheels' angle asks for at this speed: 0 when it holds, 1 when it
/// asks for twice the grip.
double slip(const CarFacts& car, const CarState& state);

}  // namespace tenfold::env::racing
