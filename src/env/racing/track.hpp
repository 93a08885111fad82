// A closed race track: a centre line of constant width, and what can be seen and measured from it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "base/philox.hpp"

namespace tenfold::env::racing {

struct Point {
  double x = 0, y = 0;
};

/// Where something is with respect to the centre line.
struct Place {
  double along = 0;      ///< arc length from the start line, m, in [0, length)
  double offset = 0;     ///< m to the left of the centre line
  double heading = 0;    ///< of the centre line there, rad
  double curvature = 0;  ///< 1/m, positive to the left
};

/// The centre line is the periodic cubic spline through 12 points at equal angles about the origin,
/// kept as 512 samples at equal steps of arc length; it runs
/// counterclockwise from the first point. Between samples: straight pieces, headings and curvatures
/// interpolated. Memory is taken at construction only.
class Track {
 public:
  static constexpr std::size_t kPoints = 12, kSamples = 512;
  static constexpr double kHalfWidth = 5;       ///< m
  static constexpr double kLeastRadius = 15;    ///< m, of any bend of a random track
  static constexpr double kMiddleRadius = 120;  ///< m, of the circle that random tracks vary

  /// Distances of the 12 points from the origin, m.
  using Radii = std::array<double, kPoints>;

  /// Radii of a random track: 120 m changed by up to 35% each, less until no bend is sharper than
  /// kLeastRadius.
  static Radii random(base::Stream& stream);

  explicit Track(const Radii& radii);
  Track() : Track(circle(kMiddleRadius)) {}
  /// Another track in the same memory.
  void rebuild(const Radii& radii);
  static Radii circle(double radius);

  const Radii& radii() const { return radii_; }
  double length() const { return length_; }
  double sharpest() const;  ///< largest curvature, 1/m
  /// The centre line at an arc length (any real number, taken modulo length), offset m to the left.
  Point at(double along, double offset = 0) const;
  /// Heading and curvature at an arc length.
  Place centre(double along) const;
  /// Looks for the nearest piece of the centre line within 40 m of arc length about near.
  Place locate(Point point, double near) const;
  /// Distances, m, at most range, from a point on the track to its edges in given directions (rad).
  /// along is where the point is. Edges within 1.2 range of arc length are looked at.
  void beams(Point from, double along, std::span<const double> directions, double range,
             std::span<double> distances) const;
  /// The centre line and the edges, at equal steps of arc length from the start line.
  struct Sample {
    Point point, left, right;
    double heading = 0, curvature = 0;
  };
  std::span<const Sample> samples() const { return samples_; }
  /// Arc length b - a by the shorter way round, in [-length/2, length/2).
  double ahead(double a, double b) const;

 private:
  std::size_t wrapped(std::ptrdiff_t index) const;

  Radii radii_ = {};
  std::vector<Sample> samples_;
  std::vector<Point> fine_;      // the spline, densely
  std::vector<double> lengths_;  // arc length up to each of fine_
  double length_ = 0, step_ = 0;
};

}  // namespace tenfold::env::racing
