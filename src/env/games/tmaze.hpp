// The T-maze of Bakker (2002): what was seen at the start decides at the end.
#pragma once

#include "env/games/game_batch.hpp"

namespace tenfold::env::games {

/// A corridor of some length with a side arm to the left and one to the right at its end. The first
/// place shows in which arm the prize is; no other place does. Actions: forwards (0), left (1),
/// right (2); what a wall stops changes nothing, and nobody can go back. Entering an arm ends the
/// episode, with 1 in the right one and -1 in the other: who does not remember gets 0 in the mean,
/// however it chooses. Observation: prize is to the left, to the right, in the corridor, at its
/// end.
struct TMaze {
  static constexpr std::int64_t kChoices = 3;

  struct Rules {
    std::int32_t length;  ///< steps from the start to the end
  };
  static Rules rules(const Settings& settings) {
    return {static_cast<std::int32_t>(settings.whole("length"))};
  }
  static Shape shape(const Rules&) { return numbers(4); }

  std::int32_t place;
  bool prize_right;

  TENFOLD_FUNCTION void reset(const Rules&, base::Stream& stream) {
    place = 0;
    prize_right = stream.below(2) == 1;
  }

  TENFOLD_FUNCTION Outcome step(const Rules& rules, int action) {
    if (place < rules.length) {
      place += action == 0;
      return {};
    }
    if (action == 0) return {};
    return {(action == 2) == prize_right ? 1.0 : -1.0, true};
  }

  TENFOLD_FUNCTION void observe(const Rules& rules, float* out) const {
    const bool start = place == 0, end = place == rules.length;
    out[0] = start && !prize_right;
    out[1] = start && prize_right;
    out[2] = !start && !end;
    out[3] = end;
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.place);
    visit(self.prize_right);
  }
};

}  // namespace tenfold::env::games
