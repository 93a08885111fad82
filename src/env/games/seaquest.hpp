// Seaquest on a grid.
#pragma once

#include "env/games/grid.hpp"

namespace tenfold::env::games {

/// Bullets of one side, as bits of each row, by the way they fly.
struct Bullets {
  std::array<std::uint16_t, kSide> left, right;

  TENFOLD_FUNCTION void fire(std::int32_t row, std::int32_t column, std::int32_t direction) {
    (direction < 0 ? left : right)[static_cast<std::size_t>(row)] |= at_column(column);
  }
  TENFOLD_FUNCTION void fly() {
    for (std::size_t row = 0; row < kSide; ++row) {
      left[row] = shifted(left[row], -1);
      right[row] = shifted(right[row], 1);
    }
  }
  TENFOLD_FUNCTION std::uint16_t of(std::int32_t row) const {
    return left[static_cast<std::size_t>(row)] | right[static_cast<std::size_t>(row)];
  }
  TENFOLD_FUNCTION void take(std::int32_t row, std::int32_t column) {
    const auto others = static_cast<std::uint16_t>(~at_column(column));
    left[static_cast<std::size_t>(row)] &= others;
    right[static_cast<std::size_t>(row)] &= others;
  }
  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.left);
    visit(self.right);
  }
};

/// A submarine, rows 0 (the surface) to 8, waits (0), moves left (1), up (2), right (3) or down (4)
/// or shoots the way it faces (5), every fifth frame at most. Its front is the cell that counts;
/// its back shows where it faces. Fish, other submarines and divers, of each kind at most one a
/// row, come in from the sides into the rows 1 to 8. Fish and submarines move every pace frames,
/// divers every fifth; submarines shoot ahead every tenth frame; bullets move a cell a frame.
/// Hitting a fish or a submarine pays 1 and takes it. Being touched by one or by a bullet ends the
/// episode.
///
/// Divers are picked up by touch, six at most. Under water the oxygen falls by 1 a frame from 200
/// and the episode ends below 0. Coming up without a diver ends it too; with fewer than six, one of
/// them leaves; with six all leave, for 1 a cell of the oxygen's bar (of ten). The oxygen is full
/// again, and the game gets harder: newcomers come two frames sooner (first every 20, at last every
/// 4), the pace is one frame less (first 5, at last 2). One enemy in three is a submarine; a diver
/// comes every 30 frames.
///
/// Channels: front, back, our bullets, trail (where fish, submarines and divers came from), their
/// bullets, fish, submarines, bar of oxygen and bar of divers (bottom row, left and right), divers.
struct Seaquest {
  static constexpr std::int64_t kChoices = 6;
  static constexpr std::int32_t kFish = 1, kSubmarine = 2, kDiver = 3;
  static constexpr std::int32_t kFullOxygen = 200, kBar = 10, kMostDivers = 6;
  static constexpr std::int32_t kCoolDown = 5, kTheirShots = 10, kDiverPace = 5, kDiverWait = 30;
  static constexpr std::int32_t kFirstWait = 20, kLastWait = 4, kFirstPace = 5, kLastPace = 2;
  using Rules = GridRules;
  static Rules rules(const Settings& settings) { return GridRules::of(settings, true); }
  static Shape shape(const Rules&) { return picture(kSide, kSide, 10); }

  std::int32_t row, column, facing;  ///< facing: 1 right, -1 left
  std::int32_t oxygen, rescued, cool, wait, pace;
  Timer newcomer, mover, fire, diver_newcomer, diver_mover;
  Lanes enemies, divers;
  Bullets ours, theirs;
  Sticky sticky;
  Chance chance;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    row = 0;
    column = 5;
    facing = 1;
    oxygen = kFullOxygen;
    rescued = cool = 0;
    wait = newcomer.left = kFirstWait;
    pace = mover.left = kFirstPace;
    fire.left = kTheirShots;
    diver_newcomer.left = kDiverWait;
    diver_mover.left = kDiverPace;
    enemies.clear();
    divers.clear();
    ours = theirs = {};
    sticky = {};
    chance.reset(stream);
  }

  TENFOLD_FUNCTION Outcome step(const Rules& rules, int action) {
    base::Stream draws = chance.draws();
    const int chosen = sticky.choose(rules.sticky, action, draws);
    Outcome outcome;
    ours.fly();
    theirs.fly();
    outcome.reward += strike();
    const bool was_below = row > 0;
    command(chosen);
    outcome.reward += strike();
    outcome.ended |= touched();
    move_others();
    outcome.reward += strike();
    outcome.ended |= touched();
    newcomers(draws);
    if (row > 0) {
      outcome.ended |= --oxygen < 0;
    } else if (was_below) {
      outcome.ended |= rescued == 0;
      if (rescued > 0) outcome.reward += surface(rules);
    }
    return outcome;
  }

  TENFOLD_FUNCTION void observe(const Rules&, float* out) const {
    Planes planes(out, 10);
    planes.set(row, column, 0);
    planes.set(row, column - facing, 1);
    for (std::int32_t lane = 0; lane < kSide; ++lane) {
      planes.set_row(lane, ours.of(lane), 2);
      planes.set_row(lane, theirs.of(lane), 4);
    }
    for (std::int32_t lane = 1; lane <= 8; ++lane) {
      for (const Mover* it : {&enemies.of(lane), &divers.of(lane)}) {
        if (it->kind == 0) continue;
        planes.set(lane, it->column - it->direction, 3);
        planes.set(lane, it->column, it->kind == kFish ? 5 : it->kind == kSubmarine ? 6 : 9);
      }
    }
    for (std::int32_t i = 0; i < bar(); ++i) planes.set(kSide - 1, i, 7);
    for (std::int32_t i = 0; i < rescued; ++i) planes.set(kSide - 1, kSide - 1 - i, 8);
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    for (auto* part :
         {&self.row, &self.column, &self.facing, &self.oxygen, &self.rescued, &self.cool,
          &self.wait, &self.pace, &self.newcomer.left, &self.mover.left, &self.fire.left,
          &self.diver_newcomer.left, &self.diver_mover.left, &self.sticky.held}) {
      visit(*part);
    }
    Lanes::each(self.enemies, visit);
    Lanes::each(self.divers, visit);
    Bullets::each(self.ours, visit);
    Bullets::each(self.theirs, visit);
    Chance::each(self.chance, visit);
  }

 private:
  /// A cell that has begun counts.
  TENFOLD_FUNCTION std::int32_t bar() const {
    return (within(oxygen, 0, kFullOxygen) * kBar + kFullOxygen - 1) / kFullOxygen;
  }

  TENFOLD_FUNCTION void command(int chosen) {
    if (cool > 0) --cool;
    if (chosen == 1 || chosen == 3) {
      facing = chosen == 3 ? 1 : -1;
      column = within(column + facing, 0, kSide - 1);
    }
    row = within(row + (chosen == 4) - (chosen == 2), 0, 8);
    if (chosen == 5 && cool == 0) {
      ours.fire(row, column, facing);
      cool = kCoolDown;
    }
    pick_up();
  }

  TENFOLD_FUNCTION void pick_up() {
    if (rescued == kMostDivers || !divers.has(row) || !divers.of(row).is_at(column)) return;
    divers.of(row).kind = 0;
    ++rescued;
  }

  /// Takes enemies that our bullets hit, and those bullets; their number.
  TENFOLD_FUNCTION std::int32_t strike() {
    std::int32_t count = 0;
    for (std::int32_t lane = 1; lane <= 8; ++lane) {
      Mover& it = enemies.of(lane);
      if (it.kind == 0 || (ours.of(lane) & at_column(it.column)) == 0) continue;
      ours.take(lane, it.column);
      it.kind = 0;
      ++count;
    }
    return count;
  }

  TENFOLD_FUNCTION bool touched() const {
    if ((theirs.of(row) & at_column(column)) != 0) return true;
    return enemies.has(row) && enemies.of(row).is_at(column);
  }

  TENFOLD_FUNCTION void move_others() {
    if (mover.rings(pace)) enemies.move();
    if (diver_mover.rings(kDiverPace)) divers.move();
    pick_up();
    if (!fire.rings(kTheirShots)) return;
    for (std::int32_t lane = 1; lane <= 8; ++lane) {
      const Mover& it = enemies.of(lane);
      if (it.kind == kSubmarine) theirs.fire(lane, it.column, it.direction);
    }
  }

  TENFOLD_FUNCTION void newcomers(base::Stream& draws) {
    if (newcomer.rings(wait)) enemies.enter(draws.below(3) == 0 ? kSubmarine : kFish, draws);
    if (diver_newcomer.rings(kDiverWait)) divers.enter(kDiver, draws);
  }

  TENFOLD_FUNCTION std::int32_t surface(const Rules& rules) {
    const std::int32_t reward = rescued == kMostDivers ? bar() : 0;
    rescued = rescued == kMostDivers ? 0 : rescued - 1;
    oxygen = kFullOxygen;
    if (rules.ramp) {
      wait = within(wait - 2, kLastWait, kFirstWait);
      pace = within(pace - 1, kLastPace, kFirstPace);
    }
    return reward;
  }
};

}  // namespace tenfold::env::games
