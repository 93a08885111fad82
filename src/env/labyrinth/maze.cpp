#include "env/labyrinth/maze.hpp"

#include "base/error.hpp"

namespace tenfold::env::labyrinth {

namespace {

constexpr std::uint8_t kClosed = kEast | kNorth | kWest | kSouth;

Side opposite(Side side) {
  return side == kEast ? kWest : side == kWest ? kEast : side == kNorth ? kSouth : kNorth;
}

// Sides on which a neighbour lies that nobody has been to: it still has all its walls.
int untouched(const Maze& maze, int i, int j, std::array<Side, 4>& sides) {
  int found = 0;
  for (const Side side : kSides) {
    const int x = i + step_x(side), y = j + step_y(side);
    if (maze.inside(x, y) && maze.at(x, y) == kClosed)
      sides[static_cast<std::size_t>(found++)] = side;
  }
  return found;
}

void grow_tree(base::Stream& stream, Maze& maze) {
  std::array<std::int16_t, Maze::kMost * Maze::kMost> path{};
  std::size_t depth = 0;
  int here = static_cast<int>(stream.below(static_cast<std::uint64_t>(maze.cells())));
  while (true) {
    const int i = here % maze.count, j = here / maze.count;
    std::array<Side, 4> sides{};
    const int choices = untouched(maze, i, j, sides);
    if (choices > 0) {
      const Side side = sides[stream.below(static_cast<std::uint64_t>(choices))];
      maze.open(i, j, side);
      path[depth++] = static_cast<std::int16_t>(here);
      here += step_x(side) + step_y(side) * maze.count;
    } else if (depth > 0) {
      here = path[--depth];
    } else {
      return;
    }
  }
}

}  // namespace

void Maze::open(int i, int j, Side side) {
  const int x = i + step_x(side), y = j + step_y(side);
  base::require(inside(i, j) && inside(x, y), "Maze::open: no such neighbour");
  walls[index(i, j)] &= static_cast<std::uint8_t>(~side);
  walls[index(x, y)] &= static_cast<std::uint8_t>(~opposite(side));
}

int Maze::passages() const {
  int found = 0;
  for (int j = 0; j < count; ++j) {
    for (int i = 0; i < count; ++i) {
      found += static_cast<int>(i + 1 < count && !wall(i, j, kEast)) +
               static_cast<int>(j + 1 < count && !wall(i, j, kNorth));
    }
  }
  return found;
}

void build_maze(base::Stream& stream, int count, double loop_prob, Maze& maze) {
  base::require(count >= 1 && count <= Maze::kMost, "build_maze: count is out of range");
  maze.count = count;
  maze.walls.fill(kClosed);
  grow_tree(stream, maze);
  for (int j = 0; j < count; ++j) {
    for (int i = 0; i < count; ++i) {
      for (const Side side : {kEast, kNorth}) {
        const bool between = maze.inside(i + step_x(side), j + step_y(side));
        if (between && maze.wall(i, j, side) && stream.uniform() < loop_prob) {
          maze.open(i, j, side);
        }
      }
    }
  }
}

}  // namespace tenfold::env::labyrinth
