// Catch: a ball falls, a paddle must be under it.
#pragma once

#include "env/games/chance.hpp"
#include "env/games/game_batch.hpp"

namespace tenfold::env::games {

/// The ball starts in a random column of the top row and falls a row a step; the paddle starts in
/// the middle of the bottom row and moves a column to the left (0), not (1) or to the right (2).
/// When the ball arrives at the bottom row the episode ends, with 1 on the paddle and -1 beside it:
/// after rows - 1 steps. One channel, 1 at the ball and the paddle; a flickering frame is all 0.
struct Catch {
  static constexpr std::int64_t kChoices = 3;

  struct Rules {
    std::int32_t rows, columns;
    double flicker;  ///< probability that a frame is blank
  };
  static Rules rules(const Settings& settings) {
    return {static_cast<std::int32_t>(settings.whole("rows")),
            static_cast<std::int32_t>(settings.whole("columns")), settings.real("flicker")};
  }
  static Shape shape(const Rules& rules) { return picture(rules.rows, rules.columns, 1); }

  std::int32_t ball_row, ball_column, paddle;
  bool blank;
  Chance chance;

  TENFOLD_FUNCTION void reset(const Rules& rules, base::Stream& stream) {
    ball_row = 0;
    ball_column =
        static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(rules.columns)));
    paddle = rules.columns / 2;
    chance.reset(stream);
    flicker(rules);
  }

  TENFOLD_FUNCTION Outcome step(const Rules& rules, int action) {
    const std::int32_t moved = paddle + action - 1;
    if (moved >= 0 && moved < rules.columns) paddle = moved;
    ++ball_row;
    flicker(rules);
    if (ball_row < rules.rows - 1) return {};
    return {ball_column == paddle ? 1.0 : -1.0, true};
  }

  TENFOLD_FUNCTION void observe(const Rules& rules, float* out) const {
    for (std::int32_t i = 0; i < rules.rows * rules.columns; ++i) out[i] = 0;
    if (blank) return;
    out[ball_row * rules.columns + ball_column] = 1;
    out[(rules.rows - 1) * rules.columns + paddle] = 1;
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.ball_row);
    visit(self.ball_column);
    visit(self.paddle);
    visit(self.blank);
    Chance::each(self.chance, visit);
  }

 private:
  TENFOLD_FUNCTION void flicker(const Rules& rules) {
    base::Stream draws = chance.draws();
    blank = happens(rules.flicker, draws);
  }
};

}  // namespace tenfold::env::games
