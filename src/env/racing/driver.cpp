#include "env/racing/driver.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tenfold::env::racing {

namespace {

constexpr double kUsed = 0.9;              // of the grip, across
constexpr double kBraking = 0.7;           // of what the tyres leave, along
constexpr double kSight = 160, kStep = 4;  // m
constexpr double kEdge = 2, kInside = 80;  // m and m^2: largest offset of the line; per 1/m of bend
constexpr double kPassing = 2.5;           // m between the middles of cars side by side
constexpr double kWidest = 3.8;            // m: offset of the middle of the car
constexpr double kBehind = 5;              // m/s^2 to keep behind a car
constexpr double kSure = 0.8;              // a choice's pedal is all or nothing

// m to the left: the inside of the bends about a place, as deep as they are sharp.
double line_offset(const Track& track, double along) {
  double sum = 0;
  for (int look = -20; look <= 20; look += 10) sum += track.centre(along + look).curvature;
  return std::clamp(kInside * sum / 5, -kEdge, kEdge);
}

// What the tyres have left along the track for a car that bends so, m/s^2.
double force_left(const CarFacts& facts, double across) {
  return std::sqrt(std::max(0.0, facts.grip * facts.grip - across * across));
}

// The fastest speed from which every bend in sight can still be met at its own: from the far end
// backwards, braking with what the bends leave.
double safe_speed(const CarFacts& facts, const Track& track, double along) {
  double squared = facts.top_speed * facts.top_speed;
  for (double look = kSight; look >= 0; look -= kStep) {
    const double curvature = std::max(1e-6, std::abs(track.centre(along + look).curvature));
    const double brake = kBraking * std::min(facts.brake, force_left(facts, squared * curvature));
    squared = std::min(kUsed * facts.grip / curvature, squared + 2 * kStep * brake);
  }
  return std::min(facts.top_speed, std::sqrt(squared));
}

// rad/s, as far as the tyres hold.
double yaw_rate(const CarFacts& facts, double speed, double steering) {
  const double most = facts.grip / std::max(1.0, speed);
  return std::clamp(speed * std::tan(steering) / facts.wheelbase, -most, most);
}

// A car that the player comes up to, or is beside.
bool matters(const Ride& ride, const Opponent& other) {
  const double gap = ride.track.ahead(ride.along, other.along) - Opponent::kLength;
  const double closing = std::max(0.0, ride.car.speed - other.speed);
  return gap > -2.5 * Opponent::kLength && gap < 10 + 2.5 * closing;
}

// The place across the track that is nearest to the line and to where the car is, and past which
// no other car stands in the way.
double free_offset(const Ride& ride, std::span<const Opponent> opponents, double line,
                   double here) {
  double best = line, least = 1e9;
  for (double each = -kWidest; each <= kWidest; each += 0.2) {
    double cost = std::abs(each - line) + 0.5 * std::abs(each - here);
    for (const Opponent& other : opponents) {
      if (!matters(ride, other)) continue;
      cost += 20 * std::max(0.0, kPassing - std::abs(each - other.offset));
      const bool beside = ride.track.ahead(ride.along, other.along) < 1.5 * Opponent::kLength;
      const bool between = (other.offset - here) * (other.offset - each) < 0;
      if (beside && between) cost += 100;
    }
    if (cost >= least) continue;
    least = cost;
    best = each;
  }
  return best;
}

// Of a car straight ahead, as long as it is there: its own, more while there is room to brake.
double speed_behind(const Ride& ride, std::span<const Opponent> opponents, double here) {
  double least = 1e9;
  for (const Opponent& other : opponents) {
    const double gap = ride.track.ahead(ride.along, other.along) - Opponent::kLength;
    if (gap < -1 || std::abs(here - other.offset) > Opponent::kWidth + 0.3) continue;
    least = std::min(least,
                     std::sqrt(other.speed * other.speed + 2 * kBehind * std::max(0.0, gap - 3)));
  }
  return least;
}

}  // namespace

Controls drive_line(const CarFacts& facts, const Ride& ride, std::span<const Opponent> opponents) {
  const double look = 6 + 0.5 * ride.car.speed;
  const double here = offset(ride);
  const double aside =
      free_offset(ride, opponents, line_offset(ride.track, ride.along + look), here);
  const double speed =
      std::min(safe_speed(facts, ride.track, ride.along), speed_behind(ride, opponents, here));
  const Point aim = ride.track.at(ride.along + look, aside);
  const double angle = std::remainder(
      std::atan2(aim.y - ride.car.y, aim.x - ride.car.x) - ride.car.heading, 2 * std::numbers::pi);
  // The arc through the point: the wheels' angle of the bicycle that drives it.
  const double reach = std::hypot(aim.x - ride.car.x, aim.y - ride.car.y);
  const double wheels = std::atan(2 * facts.wheelbase * std::sin(angle) / reach);
  const double steer = wheels / facts.most_steering;
  const double across =
      ride.car.speed * ride.car.speed * std::tan(std::abs(ride.car.steering)) / facts.wheelbase;
  const double pedal = std::clamp(speed - ride.car.speed, -1.0, 1.0);
  const double full = pedal > 0 ? facts.throttle : facts.brake;
  const double most_pedal = std::min(1.0, force_left(facts, std::min(across, facts.grip)) / full);
  return {std::clamp(steer, -1.0, 1.0), std::clamp(pedal, -most_pedal, most_pedal)};
}

std::int64_t choose_line(const CarFacts& facts, const Ride& ride,
                         std::span<const Opponent> opponents, double control_dt) {
  const Controls wanted = drive_line(facts, ride, opponents);
  const double turn = facts.steering_rate * control_dt;
  const double goal = yaw_rate(facts, ride.car.speed, wanted.steer * facts.most_steering);
  std::int64_t best = 1;
  double nearest = 1e9;
  for (const std::int64_t steer : {1, 0, 2}) {
    const double target = controls_of(steer).steer * facts.most_steering;
    const double next = ride.car.steering + std::clamp(target - ride.car.steering, -turn, turn);
    const double error = std::abs(yaw_rate(facts, ride.car.speed, next) - goal);
    if (error >= nearest) continue;
    nearest = error;
    best = steer;
  }
  const std::int64_t pedal = wanted.pedal > kSure ? 0 : wanted.pedal < -kSure ? 1 : 2;
  return 3 * pedal + best;
}

}  // namespace tenfold::env::racing
