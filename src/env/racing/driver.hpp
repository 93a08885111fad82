// A driver that sees the track itself and follows a racing line: what a person's score stands for.
#pragma once

#include "env/racing/racing_game.hpp"

namespace tenfold::env::racing {

/// Aims at a point of the racing line 6 m and half a second ahead: towards the inside of the bends
/// around it, away from cars that it comes up to (or behind them where no side is free). Brakes so
/// that bends within sight are met at the speed that 80% of the tyres' grip holds. Steering is
/// proportional to the angle to the point, damped by the turn that the wheels already bring.
Controls drive_line(const CarFacts& facts, const Ride& ride, std::span<const Opponent> opponents);

/// The choice whose wheels come nearest to drive_line's after one control step.
std::int64_t choose_line(const CarFacts& facts, const Ride& ride,
                         std::span<const Opponent> opponents, double control_dt);

}  // namespace tenfold::env::racing
