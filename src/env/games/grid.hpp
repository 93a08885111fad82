// What the grid games share. They follow the public description of MinAtar (Young and Tian, 2019,
// arXiv 1903.03176); code and whatever that description leaves open are ours.
#pragma once

#include <array>

#include "env/games/chance.hpp"
#include "env/games/game_batch.hpp"

namespace tenfold::env::games {

constexpr std::int32_t kSide = 10;

/// Settings of grid games.
struct GridRules {
  double sticky;  ///< probability that the last action is done again
  bool ramp;      ///< whether the game gets harder

  static GridRules of(const Settings& settings, bool can_ramp) {
    return {settings.real("sticky"), can_ramp && settings.whole("ramp") == 1};
  }
};

/// Writes an observation [kSide, kSide, channels] of zeros and ones.
class Planes {
 public:
  TENFOLD_FUNCTION Planes(float* out, std::int32_t channels) : out_(out), channels_(channels) {
    for (std::int32_t i = 0; i < kSide * kSide * channels; ++i) out[i] = 0;
  }
  /// Places outside of the board are left out.
  TENFOLD_FUNCTION void set(std::int32_t row, std::int32_t column, std::int32_t channel) {
    if (column < 0 || column >= kSide) return;
    out_[(row * kSide + column) * channels_ + channel] = 1;
  }
  TENFOLD_FUNCTION void set_row(std::int32_t row, std::uint16_t bits, std::int32_t channel) {
    for (std::int32_t column = 0; bits != 0;
         ++column, bits = static_cast<std::uint16_t>(bits >> 1)) {
      if ((bits & 1U) != 0) set(row, column, channel);
    }
  }

 private:
  float* out_;
  std::int32_t channels_;
};

/// A row of the board as bits, column 0 the lowest.
constexpr std::uint16_t kFullRow = (1U << kSide) - 1;
TENFOLD_FUNCTION std::uint16_t at_column(std::int32_t column) {
  return static_cast<std::uint16_t>(1U << column);
}
/// All one column to the right (1) or left (-1); what leaves the board is gone.
TENFOLD_FUNCTION std::uint16_t shifted(std::uint16_t row, std::int32_t direction) {
  return static_cast<std::uint16_t>((direction > 0 ? row << 1 : row >> 1) & kFullRow);
}

TENFOLD_FUNCTION std::int32_t within(std::int32_t value, std::int32_t low, std::int32_t high) {
  return value < low ? low : value > high ? high : value;
}

/// What moves along a row of the board, at most one a row.
struct Mover {
  std::int32_t kind;  ///< 0: nothing there
  std::int32_t column, direction;

  /// Enters from the left or from the right.
  TENFOLD_FUNCTION void enter(std::int32_t what, base::Stream& draws) {
    kind = what;
    direction = draws.below(2) == 0 ? 1 : -1;
    column = direction > 0 ? 0 : kSide - 1;
  }
  TENFOLD_FUNCTION void move() {
    column += direction;
    if (column < 0 || column >= kSide) kind = 0;
  }
  TENFOLD_FUNCTION bool is_at(std::int32_t where) const { return kind != 0 && column == where; }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.kind);
    visit(self.column);
    visit(self.direction);
  }
};

/// Movers of the rows 1 to 8.
struct Lanes {
  std::array<Mover, 8> movers;

  TENFOLD_FUNCTION Mover& of(std::int32_t row) { return movers[static_cast<std::size_t>(row - 1)]; }
  TENFOLD_FUNCTION const Mover& of(std::int32_t row) const {
    return movers[static_cast<std::size_t>(row - 1)];
  }
  TENFOLD_FUNCTION bool has(std::int32_t row) const { return row >= 1 && row <= 8; }
  TENFOLD_FUNCTION void clear() { movers = {}; }
  TENFOLD_FUNCTION void move() {
    for (Mover& each : movers) {
      if (each.kind != 0) each.move();
    }
  }
  /// Into a random row; if something is there, nobody enters.
  TENFOLD_FUNCTION void enter(std::int32_t kind, base::Stream& draws) {
    Mover& lane = movers[draws.below(movers.size())];
    if (lane.kind == 0) lane.enter(kind, draws);
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    for (auto& mover : self.movers) Mover::each(mover, visit);
  }
};

/// Counts frames down to something that happens again and again.
struct Timer {
  std::int32_t left;

  /// True every period frames.
  TENFOLD_FUNCTION bool rings(std::int32_t period) {
    if (--left > 0) return false;
    left = period;
    return true;
  }
};

}  // namespace tenfold::env::games
