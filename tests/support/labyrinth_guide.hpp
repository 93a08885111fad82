// A player of the labyrinth that knows the maze and goes the shortest way to the portal: what score
// is possible, about.
#pragma once

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "env/labyrinth/game.hpp"

namespace tenfold::env::labyrinth {

/// Passages from every cell to goal (breadth first); -1 where no way leads there.
inline std::vector<int> distances_to(const Maze& maze, int goal) {
  std::vector<int> distance(static_cast<std::size_t>(maze.cells()), -1), queue = {goal};
  distance[static_cast<std::size_t>(goal)] = 0;
  for (std::size_t k = 0; k < queue.size(); ++k) {
    const int i = queue[k] % maze.count, j = queue[k] / maze.count;
    for (const Side side : kSides) {
      if (maze.wall(i, j, side)) continue;
      const int next = queue[k] + step_x(side) + step_y(side) * maze.count;
      if (distance[static_cast<std::size_t>(next)] >= 0) continue;
      distance[static_cast<std::size_t>(next)] = distance[static_cast<std::size_t>(queue[k])] + 1;
      queue.push_back(next);
    }
  }
  return distance;
}

/// Turns towards the middle of the next cell on the way, and walks there.
inline Choice guided_choice(const Game& game) {
  const std::vector<int> distance = distances_to(game.maze, static_cast<int>(game.portal));
  const int i = static_cast<int>(game.pose.x), j = static_cast<int>(game.pose.y);
  const int here = j * game.maze.count + i;
  int next = here;
  for (const Side side : kSides) {
    const int other = here + step_x(side) + step_y(side) * game.maze.count;
    if (!game.maze.wall(i, j, side) &&
        distance[static_cast<std::size_t>(other)] < distance[static_cast<std::size_t>(next)]) {
      next = other;
    }
  }
  const double dx = next % game.maze.count + 0.5 - game.pose.x;
  const double dy = next / game.maze.count + 0.5 - game.pose.y;
  const double turn = std::remainder(std::atan2(dy, dx) - game.pose.heading, 2 * std::numbers::pi);
  if (std::abs(turn) > 0.7) return turn > 0 ? kTurnLeft : kTurnRight;
  if (std::abs(turn) > 0.08) return turn > 0 ? kForwardLeft : kForwardRight;
  return kForward;
}

}  // namespace tenfold::env::labyrinth
