// Asterix on a grid.
#pragma once

#include "env/games/grid.hpp"

namespace tenfold::env::games {

/// The player waits (0) or moves left (1), up (2), right (3) or down (4) in the rows 1 to 8.
/// Treasure and enemies, at most one a row, come in from the sides and cross the board together, a
/// cell every pace frames. Touching treasure pays 1 and takes it; touching an enemy ends the
/// episode; a newcomer leaves a frame to get away. Every 100 frames newcomers come a frame sooner
/// (first every 10, at last every frame), and every other time all move a frame sooner (first every
/// 5, at last every frame). One in three is treasure. Channels: player, enemies, trail (where each
/// of the others came from), treasure.
struct Asterix {
  static constexpr std::int64_t kChoices = 5;
  static constexpr std::int32_t kEnemy = 1, kTreasure = 2;
  static constexpr std::int32_t kRampFrames = 100, kFirstWait = 10, kFirstPace = 5;
  using Rules = GridRules;
  static Rules rules(const Settings& settings) { return GridRules::of(settings, true); }
  static Shape shape(const Rules&) { return picture(kSide, kSide, 4); }

  std::int32_t row, column;
  std::int32_t wait, pace;  ///< frames between newcomers and between moves
  bool quicken;             ///< whether the next ramp also changes the pace
  Timer newcomer, mover, ramp;
  Lanes lanes;
  Sticky sticky;
  Chance chance;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    row = column = 5;
    wait = newcomer.left = kFirstWait;
    pace = mover.left = kFirstPace;
    ramp.left = kRampFrames;
    quicken = false;
    lanes.clear();
    sticky = {};
    chance.reset(stream);
  }

  TENFOLD_FUNCTION Outcome step(const Rules& rules, int action) {
    base::Stream draws = chance.draws();
    const int chosen = sticky.choose(rules.sticky, action, draws);
    column = within(column + (chosen == 3) - (chosen == 1), 0, kSide - 1);
    row = within(row + (chosen == 4) - (chosen == 2), 1, 8);
    Outcome outcome;
    touch(outcome);
    if (mover.rings(pace)) lanes.move();
    touch(outcome);
    if (newcomer.rings(wait)) lanes.enter(draws.below(3) == 0 ? kTreasure : kEnemy, draws);
    if (rules.ramp && ramp.rings(kRampFrames)) harder();
    return outcome;
  }

  TENFOLD_FUNCTION void observe(const Rules&, float* out) const {
    Planes planes(out, 4);
    planes.set(row, column, 0);
    for (std::int32_t lane = 1; lane <= 8; ++lane) {
      const Mover& it = lanes.of(lane);
      if (it.kind == 0) continue;
      planes.set(lane, it.column, it.kind == kEnemy ? 1 : 3);
      planes.set(lane, it.column - it.direction, 2);
    }
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    for (auto* part : {&self.row, &self.column, &self.wait, &self.pace, &self.newcomer.left,
                       &self.mover.left, &self.ramp.left, &self.sticky.held}) {
      visit(*part);
    }
    visit(self.quicken);
    Lanes::each(self.lanes, visit);
    Chance::each(self.chance, visit);
  }

 private:
  TENFOLD_FUNCTION void touch(Outcome& outcome) {
    Mover& it = lanes.of(row);
    if (!it.is_at(column)) return;
    if (it.kind == kTreasure) {
      outcome.reward += 1;
      it.kind = 0;
    } else {
      outcome.ended = true;
    }
  }

  TENFOLD_FUNCTION void harder() {
    if (quicken && pace > 1) --pace;
    quicken = !quicken;
    if (wait > 1) --wait;
  }
};

}  // namespace tenfold::env::games
