// What the agent sees: walls by one ray a column, and flat pictures of things that face it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "env/labyrinth/motion.hpp"

namespace tenfold::env::labyrinth {

struct Colour {
  float red = 0, green = 0, blue = 0;  ///< in [0, 255]
};

/// By a hue in [0, 1).
TENFOLD_FUNCTION Colour wall_colour(double hue) {
  const auto part = [hue](double shift) {
    const double turned = hue + shift - std::floor(hue + shift);
    const double strong = std::abs(turned * 6 - 3) - 1;  // 0 for the third of hues opposite
    return static_cast<float>(95 + 150 * std::min(1.0, std::max(0.0, strong)));
  };
  return {part(0), part(2. / 3), part(1. / 3)};
}

enum class Kind : std::uint8_t { kApple, kPortal };

/// Something that stands in the maze, seen the same from all sides.
struct Thing {
  double x = 0, y = 0;  ///< in cells
  Kind kind = Kind::kApple;
};

/// A square picture of 90 degrees, 3 bytes a pixel. Lengths in cells.
struct View {
  static constexpr int kMostSide = 240, kLeastSide = 16;
  static constexpr double kWallHalf = 0.4;  ///< half a wall's height; the eye is at its middle

  int side = 84;

  TENFOLD_FUNCTION double focal() const { return side / 2.; }  ///< pixels at distance 1
  TENFOLD_FUNCTION std::size_t row_bytes() const { return 3 * static_cast<std::size_t>(side); }
  TENFOLD_FUNCTION std::size_t bytes() const {
    return row_bytes() * static_cast<std::size_t>(side);
  }
};

/// What a column of the picture is made of, between casting and filling. For three bytes a column.
struct Columns {
  std::array<double, View::kMostSide> depth;  ///< straight ahead, not along the ray
  std::array<std::uint8_t, 3 * View::kMostSide> top, height, wall;
};

namespace detail {

// Light from the eye: how bright things at a distance are.
TENFOLD_FUNCTION double light(double depth) {
  return 1 / (1 + 0.25 * depth);
}

TENFOLD_FUNCTION std::uint8_t byte(double value) {
  return static_cast<std::uint8_t>(std::min(255.0, std::max(0.0, value + 0.5)));
}

// Sides that face east or west are darker. Where a wall is near enough for more than a pixel: every
// second of eight panels a cell, so that one moves even before a bare wall, and the joints of
// cells.
TENFOLD_FUNCTION double wall_light(const Hit& hit) {
  const double side = light(hit.distance) * (hit.faces_x ? 0.72 : 1);
  if (hit.distance > 3) return side;
  if (std::min(hit.along, 1 - hit.along) < 0.03) return 0.6 * side;
  return (static_cast<int>(8 * hit.along) & 1) != 0 ? 0.9 * side : side;
}

struct Shape {
  double half_width, half_height, middle;  // middle: above the eye
};

TENFOLD_FUNCTION Shape shape(Kind kind) {
  if (kind == Kind::kApple) return {0.14, 0.14, -0.2};
  return {0.26, 0.36, 0};
}

// Colour of a place within the ellipse of a thing, from -1 to 1 rightwards and down.
TENFOLD_FUNCTION Colour paint(Kind kind, double x, double y) {
  const double distance = x * x + y * y;
  if (kind == Kind::kPortal) {
    if (distance < 0.4) return {0, 120, 160};
    return {0, 255, 255};
  }
  if ((x + 0.35) * (x + 0.35) + (y + 0.4) * (y + 0.4) < 0.05) return {255, 150, 130};
  return distance > 0.6 ? Colour{180, 0, 0} : Colour{235, 10, 10};
}

struct Span {
  int begin, end;
};

// Pixels whose middles lie in middle +- half: at least one, within the picture.
TENFOLD_FUNCTION Span pixels(double middle, double half, int side) {
  const double limit = side;
  const double low = std::floor(std::min(limit, std::max(-1.0, middle - half)) + 0.5);
  const double high = std::floor(std::min(limit, std::max(-1.0, middle + half)) + 0.5);
  const int begin = static_cast<int>(low);
  const int end = std::max(begin + 1, static_cast<int>(high));
  return {std::max(0, begin), std::min(side, end)};
}

}  // namespace detail

/// Floor and ceiling as seen where no wall is: [side, side, 3], the same for every maze and pose.
TENFOLD_FUNCTION void draw_background(const View& view, std::uint8_t* background) {
  for (int y = 0; y < view.side; ++y) {
    const double below = y + 0.5 - view.side / 2.;
    const double light = detail::light(view.focal() * View::kWallHalf / std::abs(below));
    const Colour base = below > 0 ? Colour{150, 135, 115} : Colour{95, 110, 150};
    for (int x = 0; x < view.side; ++x, background += 3) {
      background[0] = detail::byte(light * base.red);
      background[1] = detail::byte(light * base.green);
      background[2] = detail::byte(light * base.blue);
    }
  }
}

/// One column: its ray, depth, extent and colour. Columns of a picture are independent.
TENFOLD_FUNCTION void cast_column(const View& view, const Maze& maze, const Pose& pose,
                                  double cosine, double sine, const Colour& colour, int column,
                                  Columns& columns) {
  const double aside = (2 * column + 1 - view.side) / (2 * view.focal());  // to the right
  const Hit hit = cast_ray(maze, pose.x, pose.y, cosine + aside * sine, sine - aside * cosine);
  const double half = view.focal() * View::kWallHalf / hit.distance;
  const int top = std::max(0, static_cast<int>(std::floor(view.side / 2. - half + 0.5)));
  const double light = detail::wall_light(hit);
  const auto c = static_cast<std::size_t>(column);
  columns.depth[c] = hit.distance;
  for (std::size_t k = 3 * c; k < 3 * c + 3; ++k) {
    columns.top[k] = static_cast<std::uint8_t>(top);
    columns.height[k] = static_cast<std::uint8_t>(std::max(0, view.side - 2 * top));
  }
  columns.wall[3 * c] = detail::byte(light * colour.red);
  columns.wall[3 * c + 1] = detail::byte(light * colour.green);
  columns.wall[3 * c + 2] = detail::byte(light * colour.blue);
}

/// One row of the picture: walls where columns have them, background elsewhere. Both are loaded and
/// one is masked out, since compilers then do 16 or more bytes at a time.
TENFOLD_FUNCTION void fill_row(const View& view, const Columns& columns,
                               const std::uint8_t* background, int row, std::uint8_t* frame) {
  const std::size_t width = view.row_bytes();
  const std::uint8_t* behind = background + static_cast<std::size_t>(row) * width;
  std::uint8_t* __restrict out = frame + static_cast<std::size_t>(row) * width;
  const auto y = static_cast<std::uint8_t>(row);
  const std::uint8_t *top = columns.top.data(), *height = columns.height.data(),
                     *wall = columns.wall.data();
  for (std::size_t k = 0; k < width; ++k) {
    const auto below = static_cast<std::uint8_t>(y - top[k]);
    const auto mask = static_cast<std::uint8_t>(below < height[k] ? 255 : 0);
    out[k] = static_cast<std::uint8_t>((wall[k] & mask) | (behind[k] & ~mask));
  }
}

/// One thing over what is drawn already, where no wall is nearer. Draw far ones first.
TENFOLD_FUNCTION void draw_thing(const View& view, const Columns& columns, const Pose& pose,
                                 double cosine, double sine, const Thing& thing,
                                 std::uint8_t* frame) {
  const double dx = thing.x - pose.x, dy = thing.y - pose.y;
  const double depth = dx * cosine + dy * sine, aside = dx * sine - dy * cosine;
  if (depth < 0.1 || std::abs(aside) > depth + 1) return;
  const detail::Shape shape = detail::shape(thing.kind);
  const double scale = view.focal() / depth, middle = view.side / 2.;
  const double at_x = middle + aside * scale, at_y = middle - shape.middle * scale;
  const double half_x = shape.half_width * scale, half_y = shape.half_height * scale;
  const double light = 0.35 + 0.65 * detail::light(depth);
  const detail::Span across = detail::pixels(at_x, half_x, view.side);
  for (int x = across.begin; x < across.end; ++x) {
    if (columns.depth[static_cast<std::size_t>(x)] <= depth) continue;
    const double u = std::min(1.0, std::max(-1.0, (x + 0.5 - at_x) / half_x));
    const detail::Span rows = detail::pixels(at_y, half_y * std::sqrt(1 - u * u), view.side);
    for (int y = rows.begin; y < rows.end; ++y) {
      const double v = std::min(1.0, std::max(-1.0, (y + 0.5 - at_y) / half_y));
      const Colour colour = detail::paint(thing.kind, u, v);
      std::uint8_t* pixel =
          frame + static_cast<std::size_t>(y) * view.row_bytes() + 3 * static_cast<std::size_t>(x);
      pixel[0] = detail::byte(light * colour.red);
      pixel[1] = detail::byte(light * colour.green);
      pixel[2] = detail::byte(light * colour.blue);
    }
  }
}

}  // namespace tenfold::env::labyrinth
