// Freeway on a grid.
#pragma once

#include "env/games/grid.hpp"

namespace tenfold::env::games {

/// Someone crosses eight lanes from the bottom row to the top row: waits (0), goes up (1) or down
/// (2), a cell in three frames at most. The top pays 1 and leads back to the bottom, with new
/// speeds and directions of the cars; a car leads back to the bottom without. A car a lane, around
/// the board, moves a cell every 1 to 5 frames. No end but the time limit. Channels: who crosses,
/// cars, and five of trails: behind a car that moves every 1, ..., 5 frames.
struct Freeway {
  static constexpr std::int64_t kChoices = 3;
  static constexpr std::int32_t kColumn = 4, kRest = 3, kSlowest = 5;
  using Rules = GridRules;
  static Rules rules(const Settings& settings) { return GridRules::of(settings, false); }
  static Shape shape(const Rules&) { return picture(kSide, kSide, 7); }

  /// Of one lane.
  struct Car {
    std::int32_t column, direction, period;
    Timer timer;

    TENFOLD_FUNCTION void change_speed(base::Stream& draws) {
      direction = draws.below(2) == 0 ? 1 : -1;
      period = 1 + static_cast<std::int32_t>(draws.below(kSlowest));
      timer.left = period;
    }
    TENFOLD_FUNCTION void move() {
      if (timer.rings(period)) column = (column + direction + kSide) % kSide;
    }
    template <class Self, class Visit>
    static void each(Self& self, Visit&& visit) {
      for (auto* part : {&self.column, &self.direction, &self.period, &self.timer.left})
        visit(*part);
    }
  };

  std::int32_t row;
  std::int32_t rest;        ///< frames until the next move
  std::array<Car, 8> cars;  ///< of the rows 1 to 8
  Sticky sticky;
  Chance chance;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    row = kSide - 1;
    rest = 0;
    for (Car& each : cars) {
      each.change_speed(stream);
      each.column = static_cast<std::int32_t>(stream.below(kSide));
    }
    sticky = {};
    chance.reset(stream);
  }

  TENFOLD_FUNCTION Outcome step(const Rules& rules, int action) {
    base::Stream draws = chance.draws();
    const int chosen = sticky.choose(rules.sticky, action, draws);
    if (rest > 0) --rest;
    if (chosen != 0 && rest == 0) {
      row = within(row + (chosen == 2) - (chosen == 1), 0, kSide - 1);
      rest = kRest;
    }
    Outcome outcome;
    if (row == 0) {
      outcome.reward = 1;
      row = kSide - 1;
      for (Car& each : cars) each.change_speed(draws);
    }
    const bool ran_into = is_hit();
    for (Car& each : cars) each.move();
    if (ran_into || is_hit()) row = kSide - 1;
    return outcome;
  }

  TENFOLD_FUNCTION void observe(const Rules&, float* out) const {
    Planes planes(out, 7);
    planes.set(row, kColumn, 0);
    for (std::int32_t lane = 1; lane <= 8; ++lane) {
      const Car& car = cars[static_cast<std::size_t>(lane - 1)];
      planes.set(lane, car.column, 1);
      planes.set(lane, (car.column - car.direction + kSide) % kSide, 1 + car.period);
    }
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.row);
    visit(self.rest);
    for (auto& car : self.cars) Car::each(car, visit);
    visit(self.sticky.held);
    Chance::each(self.chance, visit);
  }

 private:
  TENFOLD_FUNCTION bool is_hit() const {
    return row >= 1 && row <= 8 && cars[static_cast<std::size_t>(row - 1)].column == kColumn;
  }
};

}  // namespace tenfold::env::games
