#include "env/racing/ride.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"

namespace tenfold::env::racing {

namespace {

constexpr double kMetre = 1;  // of progress that counts

// True when the car had left the track.
bool hold_to_track(const CarFacts& facts, Ride& ride) {
  const Place place = ride.track.locate({ride.car.x, ride.car.y}, ride.along);
  ride.progress += ride.track.ahead(ride.along, place.along);
  ride.along = place.along;
  const double most = Track::kHalfWidth - facts.half_width;
  if (std::abs(place.offset) <= most) return false;
  const Point back = ride.track.at(place.along, std::copysign(most, place.offset));
  const double along = std::cos(against(ride.car, place));
  ride.car.x = back.x;
  ride.car.y = back.y;
  ride.car.speed *= std::abs(along);
  ride.car.heading = place.heading + (along < 0 ? std::numbers::pi : 0);
  return true;
}

}  // namespace

void start_ride(base::Stream& stream, Ride& ride) {
  ride.track.rebuild(Track::random(stream));
  const double aside = stream.uniform(-2, 2);
  const double turn = stream.uniform(-0.1, 0.1);
  const Point point = ride.track.at(0, aside);
  ride.car = {point.x, point.y, ride.track.centre(0).heading + turn, stream.uniform(0, 10), 0};
  ride.along = ride.progress = ride.best = 0;
  ride.stalled = 0;
}

double against(const CarState& car, const Place& place) {
  return std::remainder(car.heading - place.heading, 2 * std::numbers::pi);
}

double offset(const Ride& ride) {
  const Place place = ride.track.centre(ride.along);
  const Point middle = ride.track.at(ride.along);
  return std::cos(place.heading) * (ride.car.y - middle.y) -
         std::sin(place.heading) * (ride.car.x - middle.x);
}

double forwards(const Ride& ride) {
  return ride.car.speed * std::cos(against(ride.car, ride.track.centre(ride.along)));
}

bool ride_on(const CarFacts& facts, Ride& ride, double steer, double pedal, double seconds) {
  drive(facts, ride.car, steer, pedal, seconds);
  const bool left = hold_to_track(facts, ride);
  ride.stalled += 1;
  if (ride.progress >= ride.best + kMetre) {
    ride.best = ride.progress;
    ride.stalled = 0;
  }
  return left;
}

void save_ride(const Ride& ride, std::span<double> state) {
  base::require(state.size() == kRideSize, "save_ride: wrong state size");
  double* out = std::copy(ride.track.radii().begin(), ride.track.radii().end(), state.data());
  for (const double each :
       {ride.car.x, ride.car.y, ride.car.heading, ride.car.speed, ride.car.steering, ride.along,
        ride.progress, ride.best, static_cast<double>(ride.stalled)}) {
    *out++ = each;
  }
}

void load_ride(std::span<const double> state, Ride& ride) {
  base::require(state.size() == kRideSize, "load_ride: wrong state size");
  Track::Radii radii;
  std::copy_n(state.begin(), Track::kPoints, radii.begin());
  if (radii != ride.track.radii()) ride.track.rebuild(radii);
  const double* in = state.data() + Track::kPoints;
  ride.car = {in[0], in[1], in[2], in[3], in[4]};
  ride.along = in[5];
  ride.progress = in[6];
  ride.best = in[7];
  ride.stalled = static_cast<std::int64_t>(in[8]);
}

}  // namespace tenfold::env::racing
