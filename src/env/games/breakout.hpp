// Breakout on a grid.
#pragma once

#include "env/games/grid.hpp"

namespace tenfold::env::games {

/// The paddle on the bottom row stays (0) or moves left (1) or right (2). The ball moves along
/// diagonals, a cell a frame, from a corner of the lowest row of bricks down towards the middle.
/// Walls reflect it. A brick that it would enter is broken, pays 1 and reflects it vertically; in
/// the frame after that it passes over bricks. Above the paddle it is reflected vertically; where
/// the paddle is met from the side, back to where it came from; beside the paddle the episode ends.
/// Three rows of bricks below a free one; when none is left, the ball that reaches the bottom row
/// brings new ones. Channels: paddle, ball, trail (where the ball was), bricks.
struct Breakout {
  static constexpr std::int64_t kChoices = 3;
  static constexpr std::int32_t kBottom = kSide - 1;
  using Rules = GridRules;
  static Rules rules(const Settings& settings) { return GridRules::of(settings, false); }
  static Shape shape(const Rules&) { return picture(kSide, kSide, 4); }

  std::int32_t row, column, down, right;  ///< the ball; down and right are 1 or -1
  std::int32_t trail_row, trail_column, paddle;
  bool passes;                          ///< over bricks in this frame
  std::array<std::uint16_t, 3> bricks;  ///< of the rows 1 to 3
  Sticky sticky;
  Chance chance;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    right = stream.below(2) == 0 ? 1 : -1;
    down = 1;
    row = trail_row = 3;
    column = trail_column = right > 0 ? 0 : kSide - 1;
    paddle = 4;
    passes = false;
    bricks = {kFullRow, kFullRow, kFullRow};
    sticky = {};
    chance.reset(stream);
  }

  TENFOLD_FUNCTION Outcome step(const Rules& rules, int action) {
    base::Stream draws = chance.draws();
    const int chosen = sticky.choose(rules.sticky, action, draws);
    paddle = within(paddle + (chosen == 2) - (chosen == 1), 0, kSide - 1);
    trail_row = row;
    trail_column = column;
    if (column + right < 0 || column + right >= kSide) {
      right = -right;
    } else {
      column += right;
    }
    const bool passing = passes;
    passes = false;
    if (row + down < 0) {
      down = 1;
    } else if (!passing && is_brick(row + down)) {
      bricks[static_cast<std::size_t>(row + down - 1)] &=
          static_cast<std::uint16_t>(~at_column(column));
      down = -down;
      passes = true;
      return {1, false};
    } else if (row + down == kBottom) {
      return at_bottom();
    } else {
      row += down;
    }
    return {};
  }

  TENFOLD_FUNCTION void observe(const Rules&, float* out) const {
    Planes planes(out, 4);
    planes.set(kBottom, paddle, 0);
    planes.set(row, column, 1);
    planes.set(trail_row, trail_column, 2);
    for (std::size_t i = 0; i < 3; ++i)
      planes.set_row(static_cast<std::int32_t>(i) + 1, bricks[i], 3);
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    for (auto* part : {&self.row, &self.column, &self.down, &self.right, &self.trail_row,
                       &self.trail_column, &self.paddle}) {
      visit(*part);
    }
    visit(self.passes);
    visit(self.bricks);
    visit(self.sticky.held);
    Chance::each(self.chance, visit);
  }

 private:
  TENFOLD_FUNCTION bool is_brick(std::int32_t where) const {
    return where >= 1 && where <= 3 &&
           (bricks[static_cast<std::size_t>(where - 1)] & at_column(column)) != 0;
  }

  TENFOLD_FUNCTION Outcome at_bottom() {
    if ((bricks[0] | bricks[1] | bricks[2]) == 0) bricks = {kFullRow, kFullRow, kFullRow};
    down = -1;
    if (paddle == trail_column) return {};
    if (paddle == column) {
      right = -right;
      return {};
    }
    row = kBottom;
    return {0, true};
  }
};

}  // namespace tenfold::env::games
