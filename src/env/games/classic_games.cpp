#include "env/games/acrobot.hpp"
#include "env/games/cartpole.hpp"
#include "env/games/games.hpp"
#include "env/games/mountain_car.hpp"
#include "env/games/pendulum.hpp"

namespace tenfold::env {

using namespace games;

std::vector<TaskEntry> classic_games() {
  return {game_entry<CartPole>({.name = "classic_cartpole",
                                .summary = "keep a pole on a pushed cart: 1 a step",
                                .source = "Gymnasium",
                                .control_dt = CartPole::kSeconds,
                                .can_end = true},
                               "CartPole-v1", 500),
          game_entry<MountainCar>({.name = "classic_mountain_car",
                                   .summary = "rock out of a valley: -1 a step",
                                   .source = "Gymnasium",
                                   .least_reward = -1,
                                   .most_reward = -1,
                                   .can_end = true},
                                  "MountainCar-v0", 200),
          game_entry<MountainCarContinuous>(
              {.name = "classic_mountain_car_continuous",
               .summary = "rock out of a valley: 100 there, -0.1 push^2 a step",
               .source = "Gymnasium",
               .least_reward = -0.1,
               .most_reward = 100,
               .can_end = true},
              "MountainCarContinuous-v0", 999),
          game_entry<Acrobot>({.name = "classic_acrobot",
                               .summary = "swing the tip of two links up: -1 a step",
                               .source = "Gymnasium",
                               .control_dt = Acrobot::kSeconds,
                               .least_reward = -1,
                               .most_reward = 0,
                               .can_end = true},
                              "Acrobot-v1", 500),
          game_entry<Pendulum>({.name = "classic_pendulum",
                                .summary = "swing a pendulum up and hold it: costs of angle, rate "
                                           "and torque",
                                .source = "Gymnasium",
                                .control_dt = Pendulum::kSeconds,
                                .least_reward = -Pendulum::kWorst,
                                .most_reward = 0},
                               "Pendulum-v1", 200)};
}

}  // namespace tenfold::env
