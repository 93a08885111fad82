#include "env/racing/car.hpp"

#include <algorithm>
#include <cmath>

namespace tenfold::env::racing {

namespace {

// Longitudinal force of the tyres per mass.
double pedal_force(const CarFacts& car, double pedal) {
  return pedal >= 0 ? pedal * car.throttle : pedal * car.brake;
}

double acceleration(const CarFacts& car, double force, double speed) {
  const double drag = car.throttle * (speed / car.top_speed) * (speed / car.top_speed);
  return force - drag;
}

void advance(const CarFacts& car, CarState& state, double target, double force, double seconds) {
  const double turn = car.steering_rate * seconds;
  state.steering += std::clamp(target - state.steering, -turn, turn);
  const double half = state.speed + seconds / 2 * acceleration(car, force, state.speed);
  const double middle = std::max(0.0, half);
  const double end = state.speed + seconds * acceleration(car, force, middle);
  state.speed = std::max(0.0, end);
  const double travelled = middle * seconds;
  double yaw = travelled * std::tan(state.steering) / car.wheelbase;
  const double across = std::sqrt(std::max(0.0, car.grip * car.grip - force * force));
  if (middle > 0) {
    const double most = across / middle * seconds;
    yaw = std::clamp(yaw, -most, most);
  }
  // The chord of an arc of this length and turn.
  const double chord = std::abs(yaw) > 1e-9 ? travelled * std::sin(yaw / 2) / (yaw / 2) : travelled;
  state.x += chord * std::cos(state.heading + yaw / 2);
  state.y += chord * std::sin(state.heading + yaw / 2);
  state.heading += yaw;
}

}  // namespace

void drive(const CarFacts& car, CarState& state, double steer, double pedal, double seconds) {
  const int steps = static_cast<int>(std::ceil(seconds / 0.01 - 1e-9));
  const double force = pedal_force(car, pedal);
  for (int k = 0; k < steps; ++k) {
    advance(car, state, steer * car.most_steering, force, seconds / steps);
  }
}

double slip(const CarFacts& car, const CarState& state) {
  const double asked =
      state.speed * state.speed * std::abs(std::tan(state.steering)) / car.wheelbase;
  return std::max(0.0, asked / car.grip - 1);
}

}  // namespace tenfold::env::racing
