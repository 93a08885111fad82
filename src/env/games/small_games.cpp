#include "env/games/catch.hpp"
#include "env/games/games.hpp"
#include "env/games/tmaze.hpp"

namespace tenfold::env {

using namespace games;

std::vector<TaskEntry> small_games() {
  return {
      game_entry<Catch>({.name = "catch",
                         .summary = "a ball falls, a paddle must be under it: 1 or -1 at the end",
                         .source = "Mnih et al. 2014, as bsuite has it",
                         .least_reward = -1,
                         .can_end = true},
                        "", 100,
                        {{"rows", 12, 3, 64, true, "height; an episode takes rows - 1 steps"},
                         {"columns", 12, 2, 64, true, "width"},
                         {"flicker", 0, 0, 1, false, "probability that a frame is blank"}}),
      game_entry<TMaze>({.name = "tmaze",
                         .summary = "the start shows which arm of a T pays: 1 there, else -1",
                         .source = "Bakker 2002",
                         .least_reward = -1,
                         .can_end = true},
                        "", 200, {{"length", 6, 1, 100, true, "steps from the start to the end"}})};
}

}  // namespace tenfold::env
