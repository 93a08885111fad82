#include "env/games/asterix.hpp"
#include "env/games/breakout.hpp"
#include "env/games/freeway.hpp"
#include "env/games/games.hpp"
#include "env/games/seaquest.hpp"
#include "env/games/space_invaders.hpp"

namespace tenfold::env {

using namespace games;

namespace {

constexpr std::int64_t kFreewayFrames = 2500, kFrames = 5000;

template <class Game>
TaskEntry grid_game(const std::string& name, const std::string& summary, double most_reward,
                    bool can_end, bool can_ramp) {
  std::vector<Setting> settings = {
      {"sticky", 0.1, 0, 1, false, "probability that the last action is done again"}};
  if (can_ramp) settings.push_back({"ramp", 1, 0, 1, true, "1: it gets harder, 0: it does not"});
  return game_entry<Game>({.name = name,
                           .summary = summary,
                           .source = "rules of MinAtar, code ours",
                           .most_reward = most_reward,
                           .can_end = can_end},
                          "", can_end ? kFrames : kFreewayFrames, std::move(settings));
}

}  // namespace

std::vector<TaskEntry> grid_games() {
  return {
      grid_game<Breakout>("breakout", "a ball and a paddle break bricks: 1 a brick", 1, true,
                          false),
      grid_game<Freeway>("freeway", "cross eight lanes of cars: 1 a crossing", 1, false, false),
      grid_game<Asterix>("asterix", "take treasure, keep off enemies: 1 a treasure", 2, true, true),
      grid_game<Seaquest>("seaquest",
                          "a submarine hunts, takes divers up and must breathe: 1 a hit", 34, true,
                          true),
      grid_game<SpaceInvaders>(
          "space_invaders", "shoot marching aliens that shoot back: 1 an alien", 20, true, true)};
}

}  // namespace tenfold::env
