#include "env/racing/opponents.hpp"

#include <algorithm>
#include <cmath>

namespace tenfold::env::racing {

namespace {

constexpr double kGaining = 5, kBraking = 9;  // m/s^2
constexpr double kLane = 2.4;                 // m: what is nearer across is in the way
constexpr double kSpare = 3;                  // m that they keep from the car before them
constexpr double kPlanned = 6;                // m/s^2 of braking that they count on

double bend_speed(const CarFacts& facts, const Track& track, double along) {
  double sharpest = 1e-6;
  for (int look = 0; look <= 40; look += 10) {
    sharpest = std::max(sharpest, std::abs(track.centre(along + look).curvature));
  }
  return std::sqrt(0.5 * facts.grip / sharpest);
}

// The fastest speed from which it can still slow down behind a car, or no limit.
double follow_speed(const Track& track, const Opponent& it, double along, double across,
                    double speed) {
  const double gap = track.ahead(it.along, along);
  if (gap <= 0 || std::abs(across - it.offset) > kLane) return 1e9;
  const double room = gap - Opponent::kLength - kSpare;
  return room > 0 ? std::sqrt(speed * speed + 2 * kPlanned * room) : 0.8 * speed;
}

double wrapped(const Track& track, double along) {
  return along - track.length() * std::floor(along / track.length());
}

// Moves the player's car along and across the track without turning it.
void shift(const CarFacts& facts, Ride& ride, double along, double aside) {
  const double most = Track::kHalfWidth - facts.half_width;
  const double turn = against(ride.car, ride.track.centre(ride.along));
  const double across = std::clamp(offset(ride) + aside, -most, most);
  ride.along = wrapped(ride.track, ride.along + along);
  ride.progress += along;
  const Point point = ride.track.at(ride.along, across);
  ride.car.x = point.x;
  ride.car.y = point.y;
  ride.car.heading = ride.track.centre(ride.along).heading + turn;
}

bool hold_apart_from(const CarFacts& facts, Ride& ride, Opponent& it) {
  const double ahead = ride.track.ahead(ride.along, it.along);
  const double across = it.offset - offset(ride);
  const double along_by = Opponent::kLength - std::abs(ahead);
  const double aside_by = Opponent::kWidth - std::abs(across);
  if (along_by <= 0 || aside_by <= 0) return false;
  const double most = Track::kHalfWidth - facts.half_width;
  const double aside = across > 0 ? -aside_by : aside_by;
  if (aside_by < along_by && std::abs(offset(ride) + aside) <= most) {
    shift(facts, ride, 0, aside);
    ride.car.speed *= 0.8;
  } else if (ahead > 0) {
    shift(facts, ride, -along_by, 0);
    ride.car.speed = std::min(ride.car.speed, it.speed / 2);
  } else {
    it.along = wrapped(ride.track, it.along - along_by);
    it.speed = std::min(it.speed, ride.car.speed / 2);
  }
  return true;
}

}  // namespace

void start_opponents(const CarFacts& facts, const Track& track, base::Stream& stream,
                     std::span<Opponent> opponents) {
  double along = 0;
  for (Opponent& each : opponents) {
    along += 25 + stream.uniform(0, 10);
    each.along = wrapped(track, along);
    each.offset = stream.uniform(-2.5, 2.5);
    each.cruise = stream.uniform(0.4, 0.6) * facts.top_speed;
    each.speed = each.cruise / 2;
  }
}

void drive_opponents(const CarFacts& facts, const Ride& ride, std::span<Opponent> opponents,
                     double seconds) {
  for (Opponent& each : opponents) {
    double target = std::min(each.cruise, bend_speed(facts, ride.track, each.along));
    target =
        std::min(target, follow_speed(ride.track, each, ride.along, offset(ride), ride.car.speed));
    for (const Opponent& other : opponents) {
      target =
          std::min(target, follow_speed(ride.track, each, other.along, other.offset, other.speed));
    }
    each.speed += std::clamp(target - each.speed, -kBraking * seconds, kGaining * seconds);
    each.along = wrapped(ride.track, each.along + each.speed * seconds);
  }
}

bool hold_apart(const CarFacts& facts, Ride& ride, std::span<Opponent> opponents) {
  bool hit = false;
  for (Opponent& each : opponents) hit |= hold_apart_from(facts, ride, each);
  return hit;
}

}  // namespace tenfold::env::racing
