// Other cars on the track, driven by a script, and what happens when one is hit.
#pragma once

#include <span>

#include "env/racing/ride.hpp"

namespace tenfold::env::racing {

/// Keeps to its place across the track. All cars have the same size.
struct Opponent {
  double along = 0;   ///< of the middle of its rear axle, m
  double offset = 0;  ///< m to the left of the centre line
  double speed = 0;   ///< m/s
  double cruise = 0;  ///< speed on the straight, m/s

  static constexpr double kLength = 4.2, kWidth = 1.8;  ///< m
};

/// Sets them down ahead of the start line, about 30 m apart, with cruising speeds of 40% to 60% of
/// the player's top speed. Offsets lie within 2.5 m.
void start_opponents(const CarFacts& facts, const Track& track, base::Stream& stream,
                     std::span<Opponent> opponents);

/// They slow down for bends (half of the tyres' grip) and for cars before them, the player's too.
void drive_opponents(const CarFacts& facts, const Ride& ride, std::span<Opponent> opponents,
                     double seconds);

/// True when the player's car overlaps another, seen along and across the track. They are put apart
/// the shorter way: behind the one it ran into, at half that one's speed; before the one that ran
/// into it, which loses speed so; or aside, with a fifth less speed.
bool hold_apart(const CarFacts& facts, Ride& ride, std::span<Opponent> opponents);

}  // namespace tenfold::env::racing
