// Space Invaders on a grid.
#pragma once

#include "env/games/grid.hpp"

namespace tenfold::env::games {

/// The cannon on the bottom row waits (0), moves left (1) or right (2) or shoots upwards (3), every
/// fifth frame at most. 4 x 6 aliens move together, a cell every so many frames: as many as there
/// are aliens, but at most 12 in the first wave and one less in each wave after it, not below 6. At
/// an edge they move down and turn. Every tenth frame the lowest alien of the column nearest to the
/// cannon shoots. Bullets move a cell a frame. An alien that is hit pays 1; a bullet on the cannon
/// or an alien on its row end the episode. Channels: cannon, aliens, aliens that move left, aliens
/// that move right, our bullets, theirs.
struct SpaceInvaders {
  static constexpr std::int64_t kChoices = 4;
  static constexpr std::int32_t kBottom = kSide - 1, kCoolDown = 5, kTheirShots = 10;
  static constexpr std::int32_t kSlowest = 12, kQuickestWave = 6;
  using Rules = GridRules;
  static Rules rules(const Settings& settings) { return GridRules::of(settings, true); }
  static Shape shape(const Rules&) { return picture(kSide, kSide, 6); }
  using Board = std::array<std::uint16_t, kSide>;

  std::int32_t cannon, direction, slowest;
  std::int32_t cool;  ///< frames until the cannon can shoot
  Timer march, fire;
  Board aliens, ours, theirs;
  Sticky sticky;
  Chance chance;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    cannon = 5;
    slowest = kSlowest;
    cool = 0;
    fire.left = kTheirShots;
    ours = theirs = {};
    new_wave();
    sticky = {};
    chance.reset(stream);
  }

  TENFOLD_FUNCTION Outcome step(const Rules& rules, int action) {
    base::Stream draws = chance.draws();
    const int chosen = sticky.choose(rules.sticky, action, draws);
    if (cool > 0) --cool;
    cannon = within(cannon + (chosen == 2) - (chosen == 1), 0, kSide - 1);
    Outcome outcome;
    move_bullets();
    if (chosen == 3 && cool == 0) {
      ours[kBottom - 1] |= at_column(cannon);
      cool = kCoolDown;
    }
    outcome.reward += strike();
    const std::int32_t count = left();
    if (count > 0 && march.rings(count < slowest ? count : slowest)) {
      move_aliens();
      outcome.reward += strike();
    }
    if (fire.rings(kTheirShots)) shoot_back();
    outcome.ended = (theirs[kBottom] & at_column(cannon)) != 0 || aliens[kBottom] != 0;
    if (left() == 0) {
      if (rules.ramp && slowest > kQuickestWave) --slowest;
      new_wave();
    }
    return outcome;
  }

  TENFOLD_FUNCTION void observe(const Rules&, float* out) const {
    Planes planes(out, 6);
    planes.set(kBottom, cannon, 0);
    for (std::int32_t row = 0; row < kSide; ++row) {
      const auto at = static_cast<std::size_t>(row);
      planes.set_row(row, aliens[at], 1);
      planes.set_row(row, aliens[at], direction < 0 ? 2 : 3);
      planes.set_row(row, ours[at], 4);
      planes.set_row(row, theirs[at], 5);
    }
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    for (auto* part : {&self.cannon, &self.direction, &self.slowest, &self.cool, &self.march.left,
                       &self.fire.left, &self.sticky.held}) {
      visit(*part);
    }
    for (auto* part : {&self.aliens, &self.ours, &self.theirs}) visit(*part);
    Chance::each(self.chance, visit);
  }

 private:
  TENFOLD_FUNCTION void new_wave() {
    aliens = {};
    for (std::size_t row = 0; row < 4; ++row) aliens[row] = 0b0011111100;
    direction = -1;
    march.left = slowest;
  }

  TENFOLD_FUNCTION std::int32_t left() const {
    std::int32_t count = 0;
    for (std::uint16_t row : aliens) {
      for (; row != 0; row = static_cast<std::uint16_t>(row & (row - 1U))) ++count;
    }
    return count;
  }

  TENFOLD_FUNCTION void move_bullets() {
    for (std::size_t row = 0; row + 1 < kSide; ++row) ours[row] = ours[row + 1];
    ours[kBottom] = 0;
    for (std::size_t row = kSide - 1; row > 0; --row) theirs[row] = theirs[row - 1];
    theirs[0] = 0;
  }

  /// Takes aliens and our bullets that meet; their number.
  TENFOLD_FUNCTION std::int32_t strike() {
    std::int32_t count = 0;
    for (std::size_t row = 0; row < kSide; ++row) {
      std::uint16_t both = aliens[row] & ours[row];
      aliens[row] = static_cast<std::uint16_t>(aliens[row] ^ both);
      ours[row] = static_cast<std::uint16_t>(ours[row] ^ both);
      for (; both != 0; both = static_cast<std::uint16_t>(both & (both - 1U))) ++count;
    }
    return count;
  }

  TENFOLD_FUNCTION void move_aliens() {
    std::uint16_t columns = 0;
    for (const std::uint16_t row : aliens) columns |= row;
    if ((columns & at_column(direction < 0 ? 0 : kSide - 1)) == 0) {
      for (std::uint16_t& row : aliens) row = shifted(row, direction);
      return;
    }
    direction = -direction;
    for (std::size_t row = kSide - 1; row > 0; --row) aliens[row] = aliens[row - 1];
    aliens[0] = 0;
  }

  /// Of two columns as near as each other the left one.
  TENFOLD_FUNCTION void shoot_back() {
    std::uint16_t columns = 0;
    for (const std::uint16_t row : aliens) columns |= row;
    for (std::int32_t away = 0; away < kSide; ++away) {
      for (const std::int32_t column : {cannon - away, cannon + away}) {
        if (column < 0 || column >= kSide || (columns & at_column(column)) == 0) continue;
        std::size_t row = kSide - 1;
        while ((aliens[row] & at_column(column)) == 0) --row;
        theirs[row] |= at_column(column);
        return;
      }
    }
  }
};

}  // namespace tenfold::env::games
