#include "env/games/cartpole.hpp"
#include "env/games/games.hpp"

namespace tenfold::env {

using namespace games;

std::vector<TaskEntry> classic_games() {
  return {game_entry<CartPole>({.name = "classic_cartpole",
                                .summary = "keep a pole on a pushed cart: 1 a step",
                                .source = "Gymnasium",
                                .control_dt = CartPole::kSeconds,
                                .can_end = true},
                               "CartPole-v1", 500)};
}

}  // namespace tenfold::env
