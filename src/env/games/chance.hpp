// What happens by chance within an episode.
#pragma once

#include <cstdint>

#include "base/function.hpp"
#include "base/philox.hpp"

namespace tenfold::env::games {

/// Part of a game's state: the key of its draws, drawn at reset, and the step that they are for.
/// The same bits after a load, whatever was drawn elsewhere.
struct Chance {
  std::uint32_t seed, index;
  std::uint32_t step;

  TENFOLD_FUNCTION void reset(base::Stream& stream) {
    seed = stream.bits();
    index = stream.bits();
    step = 0;
  }
  /// The draws of the next step. Nothing is computed before the first one is asked for.
  TENFOLD_FUNCTION base::Stream draws() {
    return {seed, base::Purpose::kDisturbance, index, step++};
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit(self.seed);
    visit(self.index);
    visit(self.step);
  }
};

/// True with this probability. Draws nothing for 0.
TENFOLD_FUNCTION bool happens(double probability, base::Stream& draws) {
  return probability > 0 && draws.uniform() < probability;
}

/// Sticky actions (Machado et al., 2018): with some probability the action before is done again.
struct Sticky {
  std::int32_t held;  ///< what was done last; 0, doing nothing, at the start

  TENFOLD_FUNCTION int choose(double probability, int action, base::Stream& draws) {
    if (!happens(probability, draws)) held = action;
    return held;
  }
};

}  // namespace tenfold::env::games
