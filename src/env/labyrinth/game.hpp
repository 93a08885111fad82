// The rules of the labyrinth: apples, a portal, and what an agent's choices do.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "env/labyrinth/motion.hpp"

namespace tenfold::env::labyrinth {

/// What stays the same from episode to episode.
struct Rules {
  int cells = 9;
  int apples = 10;
  double loop_prob = 0.15;
  double speed = 3;             ///< m/s
  double turn = 135;            ///< degrees/s
  double control_dt = 1 / 60.;  ///< s

  static constexpr double kCell = 2;       ///< m
  static constexpr double kRadius = 0.25;  ///< m, of the agent's disc
  static constexpr double kReach = 0.5;    ///< m between middles: what is nearer is taken
  static constexpr int kMostApples = 64;
};

enum Choice : int {
  kForward,
  kBackward,
  kStrafeLeft,
  kStrafeRight,
  kTurnLeft,
  kTurnRight,
  kForwardLeft,  ///< forward while turning left
  kForwardRight,
  kChoices
};

/// One maze being played in. Plain data of fixed size.
struct Game {
  Maze maze;
  Pose pose;                ///< in cells
  std::int64_t portal = 0;  ///< its cell
  std::int64_t apples = 0;
  std::array<std::int16_t, Rules::kMostApples> apple_cells{};
  std::uint64_t left = 0;  ///< bit k: apple k is there to be taken
  double hue = 0;          ///< of the walls, in [0, 1)
  std::uint32_t respawn_seed = 0;
  std::int64_t control_steps = 0;
  std::int64_t eaten = 0, portals = 0;             ///< in this episode
  std::int64_t first_portal = 0, last_portal = 0;  ///< control steps when they were reached

  bool has_apple(std::int64_t k) const { return (left >> k & 1) != 0; }
};

/// A new maze, things at distinct random cells, and the agent in the middle of a random other cell
/// with a random heading. Depends on the rules and the stream's draws alone.
void start_game(const Rules& rules, base::Stream& stream, Game& game);

/// One control step. Returns its reward: 1 for an apple, 10 for the portal, after which the agent
/// is in a random cell without any of these and all apples are back.
double control_step(const Rules& rules, Choice choice, Game& game);

/// Numbers that say where a game is; load_game brings it back bit for bit.
std::size_t game_size(const Rules& rules);
void save_game(const Rules& rules, const Game& game, std::span<double> state);
void load_game(const Rules& rules, std::span<const double> state, Game& game);

}  // namespace tenfold::env::labyrinth
