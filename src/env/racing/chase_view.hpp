// The race as seen from behind and above the player's car.
#pragma once

#include <cstdint>
#include <span>

#include "env/racing/opponents.hpp"

namespace tenfold::env::racing {

/// Draws [side, side, 3] bytes, top row first: the track with its kerbs and middle line, the other
/// cars, the player's own with lights that show the brake, and a bar at the bottom whose length is
/// speed over top speed. 7 m behind the rear axle, 3.2 m up, about 70 degrees wide. Takes no
/// memory.
void draw_chase_view(const CarFacts& facts, const Ride& ride, std::span<const Opponent> opponents,
                     bool braking, int side, std::uint8_t* frame);

}  // namespace tenfold::env::racing
