// A car on a track: how far it got, and what the edges do to it.
#pragma once

#include <cstdint>
#include <span>

#include "base/philox.hpp"
#include "env/racing/car.hpp"
#include "env/racing/track.hpp"

namespace tenfold::env::racing {

struct Ride {
  Track track;
  CarState car;
  double along = 0;          ///< place on the centre line, m
  double progress = 0;       ///< m along the centre line since the start, laps added up
  double best = 0;           ///< the progress that was last counted as such
  std::int64_t stalled = 0;  ///< control steps since then
};

/// A random track, and the car near its start line.
void start_ride(base::Stream& stream, Ride& ride);

/// Heading of the car against the centre line's where the ride is, in [-pi, pi].
double against(const CarState& car, const Place& place);
/// m to the left of the centre line.
double offset(const Ride& ride);
/// Speed along the centre line, m/s.
double forwards(const Ride& ride);

/// Drives for seconds as car.hpp's drive, then holds the car to the track: the edge is a wall; the
/// car is put back, turned along it, and keeps the speed it had along it. True when it had left the
/// track. A metre further than ever before makes stalled 0.
bool ride_on(const CarFacts& facts, Ride& ride, double steer, double pedal, double seconds);

/// Numbers of the car and its way, after the track's radii: kRideSize in all.
constexpr std::size_t kRideSize = Track::kPoints + 9;
void save_ride(const Ride& ride, std::span<double> state);
void load_ride(std::span<const double> state, Ride& ride);

}  // namespace tenfold::env::racing
