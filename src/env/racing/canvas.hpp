// Flat shapes in perspective, filled row by row.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

namespace tenfold::env::racing {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;

  Colour shaded(double light) const {
    const auto part = [light](std::uint8_t each) {
      return static_cast<std::uint8_t>(light * each);
    };
    return {part(red), part(green), part(blue)};
  }
};

/// A place seen from the camera, m.
struct Seen {
  double right = 0, up = 0, ahead = 0;
};

/// A square picture of bytes [side, side, 3] and how it is looked into: the horizon lies a share of
/// the side below its top, and vertical lines stay vertical.
class Canvas {
 public:
  static constexpr double kNear = 0.5;  ///< m: nothing nearer is drawn

  Canvas(std::uint8_t* pixels, int side, double horizon, double focal)
      : pixels_(pixels), side_(side), horizon_(horizon * side), focal_(focal * side) {}

  int side() const { return side_; }
  double horizon() const { return horizon_; }  ///< row
  double focal() const { return focal_; }      ///< pixels at 1 m
  std::uint8_t* row(int y) const {
    return pixels_ + static_cast<std::size_t>(y) * 3 * static_cast<std::size_t>(side_);
  }

  void fill_row(int y, int begin, int end, Colour colour) const {
    std::uint8_t* out = row(y);
    for (int x = std::max(0, begin); x < std::min(side_, end); ++x) {
      out[3 * x] = colour.red;
      out[3 * x + 1] = colour.green;
      out[3 * x + 2] = colour.blue;
    }
  }

  /// A convex polygon of at most 4 corners: pixels whose middles lie in it. What is nearer than
  /// kNear is cut off.
  void fill(std::span<const Seen> corners, Colour colour) const {
    std::array<Flat, 8> flat;
    const std::size_t count = project(corners, flat);
    if (count < 3) return;
    double low = flat[0].y, high = flat[0].y;
    for (std::size_t k = 1; k < count; ++k) {
      low = std::min(low, flat[k].y);
      high = std::max(high, flat[k].y);
    }
    const int first = first_middle(low), end = first_middle(high);
    for (int y = first; y < end; ++y) {
      double left = 1e9, right = -1e9;
      for (std::size_t k = 0; k < count; ++k) {
        cross(flat[k], flat[(k + 1) % count], y + 0.5, left, right);
      }
      if (left < right) fill_row(y, first_middle(left), first_middle(right), colour);
    }
  }

 private:
  struct Flat {
    double x, y;
  };

  // The first pixel whose middle is not before the place, within the picture.
  int first_middle(double place) const {
    return static_cast<int>(std::ceil(std::clamp(place, 0.0, static_cast<double>(side_)) - 0.5));
  }

  Flat flat(const Seen& seen) const {
    return {side_ / 2. + focal_ * seen.right / seen.ahead,
            horizon_ - focal_ * seen.up / seen.ahead};
  }

  std::size_t project(std::span<const Seen> corners, std::array<Flat, 8>& out) const {
    std::size_t count = 0;
    for (std::size_t k = 0; k < corners.size(); ++k) {
      const Seen &a = corners[k], &b = corners[(k + 1) % corners.size()];
      if (a.ahead >= kNear) out[count++] = flat(a);
      if ((a.ahead >= kNear) == (b.ahead >= kNear)) continue;
      const double t = (kNear - a.ahead) / (b.ahead - a.ahead);
      out[count++] = flat({a.right + t * (b.right - a.right), a.up + t * (b.up - a.up), kNear});
    }
    return count;
  }

  // Widens [left, right] by where the side from a to b crosses a line of pixels' middles. From the
  // upper end always: neighbours that share a side leave no gap.
  static void cross(Flat a, Flat b, double y, double& left, double& right) {
    if ((a.y <= y) == (b.y <= y)) return;
    if (a.y > b.y) std::swap(a, b);
    const double x = a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x);
    left = std::min(left, x);
    right = std::max(right, x);
  }

  std::uint8_t* pixels_;
  int side_;
  double horizon_, focal_;
};

}  // namespace tenfold::env::racing
