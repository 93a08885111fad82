// Mazes on a square grid of cells with thin walls between them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/function.hpp"
#include "base/philox.hpp"

namespace tenfold::env::labyrinth {

/// Sides of a cell in the order of their bits. East is +x, north is +y.
enum Side : std::uint8_t { kEast = 1, kNorth = 2, kWest = 4, kSouth = 8 };
constexpr std::array<Side, 4> kSides = {kEast, kNorth, kWest, kSouth};

/// In units of a cell.
struct Place {
  double x = 0, y = 0;
};

/// The walls of count x count cells. Cell (i, j) covers [i, i + 1] x [j, j + 1] in units of a cell;
/// its index is j * count + i. A wall between two cells is held by both. Plain data of fixed size:
/// what a kernel on a device would copy.
struct Maze {
  static constexpr int kMost = 31;  ///< cells a side

  int count = 1;
  std::array<std::uint8_t, kMost * kMost> walls{};  ///< of every cell, an or of Side

  TENFOLD_FUNCTION int cells() const { return count * count; }
  TENFOLD_FUNCTION bool inside(int i, int j) const {
    return i >= 0 && j >= 0 && i < count && j < count;
  }
  TENFOLD_FUNCTION std::size_t index(int i, int j) const {
    return static_cast<std::size_t>(j) * static_cast<std::size_t>(count) +
           static_cast<std::size_t>(i);
  }
  TENFOLD_FUNCTION unsigned at(int i, int j) const { return walls[index(i, j)]; }
  TENFOLD_FUNCTION bool wall(int i, int j, Side side) const { return (at(i, j) & side) != 0; }

  TENFOLD_FUNCTION Place middle(std::int64_t cell) const {
    const std::int64_t row = cell / count;
    return {static_cast<double>(cell - row * count) + 0.5, static_cast<double>(row) + 0.5};
  }

  /// Takes away the wall between cell (i, j) and its neighbour on that side, which must exist.
  void open(int i, int j, Side side);
  int passages() const;  ///< pairs of neighbours without a wall between them
};

/// Step to the neighbour on a side.
constexpr int step_x(Side side) {
  return side == kEast ? 1 : side == kWest ? -1 : 0;
}
constexpr int step_y(Side side) {
  return side == kNorth ? 1 : side == kSouth ? -1 : 0;
}

/// A spanning tree of all cells by depth-first search with random turns, then every wall that is
/// left between two cells goes with probability loop_prob. Depends on the draws alone. count in
/// [1, Maze::kMost].
void build_maze(base::Stream& stream, int count, double loop_prob, Maze& maze);

}  // namespace tenfold::env::labyrinth
