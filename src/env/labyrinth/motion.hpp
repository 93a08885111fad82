// Where a disc between the walls of a maze ends up, and where a ray does.
#pragma once

#include <cmath>
#include <limits>

#include "env/labyrinth/maze.hpp"

namespace tenfold::env::labyrinth {

/// In units of a cell and radians; heading 0 looks east, pi / 2 north.
struct Pose {
  double x = 0, y = 0, heading = 0;
};

namespace detail {

// Whether any wall ends at the corner of cell (i, j) on the sides given: then it is solid for a
// cell that has no wall there itself.
TENFOLD_FUNCTION bool post(const Maze& maze, int i, int j, Side across, Side along) {
  const int x = i + (across == kEast ? 1 : -1), y = j + (along == kNorth ? 1 : -1);
  return maze.wall(x, j, along) || maze.wall(i, y, across);
}

// Pushes the point away from a solid corner until it is radius away.
TENFOLD_FUNCTION void leave_corner(double corner_x, double corner_y, double radius, Pose& pose) {
  const double dx = pose.x - corner_x, dy = pose.y - corner_y;
  const double distance = std::sqrt(dx * dx + dy * dy);
  if (distance >= radius || distance == 0) return;
  pose.x = corner_x + dx * (radius / distance);
  pose.y = corner_y + dy * (radius / distance);
}

}  // namespace detail

/// Moves the disc by (dx, dy), sliding along walls and round their ends. Before and after it is at
/// least radius from every wall, up to rounding. The way must be shorter than radius, and radius
/// less than half a cell: then no wall is jumped, and only the cell that the middle moves to can
/// hold it up: its walls, or the ends of walls at corners where it has none.
TENFOLD_FUNCTION void move_disc(const Maze& maze, double radius, double dx, double dy, Pose& pose) {
  pose.x += dx;
  pose.y += dy;
  const int i = static_cast<int>(std::floor(pose.x)), j = static_cast<int>(std::floor(pose.y));
  const bool east = maze.wall(i, j, kEast), west = maze.wall(i, j, kWest);
  const bool north = maze.wall(i, j, kNorth), south = maze.wall(i, j, kSouth);
  if (east && pose.x > i + 1 - radius) pose.x = i + 1 - radius;
  if (west && pose.x < i + radius) pose.x = i + radius;
  if (north && pose.y > j + 1 - radius) pose.y = j + 1 - radius;
  if (south && pose.y < j + radius) pose.y = j + radius;
  const bool right = pose.x - i > 0.5, upper = pose.y - j > 0.5;
  const Side across = right ? kEast : kWest, along = upper ? kNorth : kSouth;
  if ((right ? east : west) || (upper ? north : south)) return;  // its wall holds the disc off
  if (detail::post(maze, i, j, across, along)) {
    detail::leave_corner(i + (right ? 1 : 0), j + (upper ? 1 : 0), radius, pose);
  }
}

/// Where a ray first meets a wall.
struct Hit {
  double distance = 0;   ///< in lengths of the direction
  bool faces_x = false;  ///< the wall stands across x (an east or west side)
  double along = 0;      ///< place on the wall's own length of one cell, in [0, 1]
};

/// From a point inside the maze along (dx, dy), not both 0: from side to side of cells (Amanatides
/// and Woo 1987). The rim is wall, so every ray ends.
TENFOLD_FUNCTION Hit cast_ray(const Maze& maze, double x, double y, double dx, double dy) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  int i = static_cast<int>(std::floor(x)), j = static_cast<int>(std::floor(y));
  const int step_i = dx > 0 ? 1 : -1, step_j = dy > 0 ? 1 : -1;
  const Side side_x = dx > 0 ? kEast : kWest, side_y = dy > 0 ? kNorth : kSouth;
  const double per_x = dx == 0 ? kFar : 1 / std::abs(dx), per_y = dy == 0 ? kFar : 1 / std::abs(dy);
  double next_x = dx == 0 ? kFar : (dx > 0 ? i + 1 - x : x - i) * per_x;
  double next_y = dy == 0 ? kFar : (dy > 0 ? j + 1 - y : y - j) * per_y;
  while (true) {
    if (next_x < next_y) {
      if (maze.wall(i, j, side_x)) return {next_x, true, y + next_x * dy - j};
      i += step_i;
      next_x += per_x;
    } else {
      if (maze.wall(i, j, side_y)) return {next_y, false, x + next_y * dx - i};
      j += step_j;
      next_y += per_y;
    }
  }
}

}  // namespace tenfold::env::labyrinth
