#include "env/racing/track.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "env/racing/spline.hpp"

namespace tenfold::env::racing {

namespace {

constexpr std::size_t kFine = 100;  // points of the spline between two given ones

double cross(Point a, Point b) {
  return a.x * b.y - a.y * b.x;
}
Point minus(Point a, Point b) {
  return {a.x - b.x, a.y - b.y};
}

PeriodicSpline<Track::kPoints> coordinate(const Track::Radii& radii, double phase) {
  Track::Radii values;
  for (std::size_t i = 0; i < Track::kPoints; ++i) {
    values[i] = radii[i] * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                        static_cast<double>(Track::kPoints) -
                                    phase);
  }
  return PeriodicSpline<Track::kPoints>(values);
}

}  // namespace

Track::Radii Track::circle(double radius) {
  Radii radii;
  radii.fill(radius);
  return radii;
}

Track::Radii Track::random(base::Stream& stream) {
  Radii changes;
  for (double& each : changes) each = stream.uniform(-0.35, 0.35);
  const auto scaled = [&changes](double scale) {
    Radii radii;
    for (std::size_t i = 0; i < kPoints; ++i) radii[i] = kMiddleRadius * (1 + scale * changes[i]);
    return radii;
  };
  Radii radii = scaled(1);
  for (double scale = 1;; scale *= 0.9) {  // ends: a circle has no sharp bend
    radii = scaled(scale);
    double sharpest = 0;
    const auto x = coordinate(radii, 0), y = coordinate(radii, std::numbers::pi / 2);
    for (std::size_t piece = 0; piece < kPoints; ++piece) {
      for (int k = 0; k < 20; ++k) {
        const double t = k / 20.0;
        const Point slope{x.slope(piece, t), y.slope(piece, t)};
        const Point bend{x.bend(piece, t), y.bend(piece, t)};
        sharpest = std::max(
            sharpest, std::abs(cross(slope, bend)) / std::pow(std::hypot(slope.x, slope.y), 3));
      }
    }
    if (sharpest * kLeastRadius < 1) return radii;
  }
}

Track::Track(const Radii& radii)
    : samples_(kSamples), fine_(kFine * kPoints + 1), lengths_(kFine * kPoints + 1) {
  rebuild(radii);
}

void Track::rebuild(const Radii& radii) {
  radii_ = radii;
  const auto x = coordinate(radii, 0), y = coordinate(radii, std::numbers::pi / 2);
  const auto parameter = [](std::size_t i) {
    return static_cast<double>(i % kFine) / static_cast<double>(kFine);
  };
  for (std::size_t i = 0; i < fine_.size(); ++i) {
    const std::size_t piece = i / kFine % kPoints;
    fine_[i] = {x.value(piece, parameter(i)), y.value(piece, parameter(i))};
    const Point last = fine_[i == 0 ? 0 : i - 1];
    lengths_[i] =
        i == 0 ? 0 : lengths_[i - 1] + std::hypot(fine_[i].x - last.x, fine_[i].y - last.y);
  }
  length_ = lengths_.back();
  step_ = length_ / static_cast<double>(kSamples);
  std::size_t i = 0;
  for (std::size_t k = 0; k < kSamples; ++k) {
    const double along = static_cast<double>(k) * step_;
    while (lengths_[i + 1] <= along) ++i;
    const double part = (along - lengths_[i]) / (lengths_[i + 1] - lengths_[i]);
    const std::size_t piece = i / kFine % kPoints;
    const double t = parameter(i) + part / static_cast<double>(kFine);
    Sample& sample = samples_[k];
    sample.point = {x.value(piece, t), y.value(piece, t)};
    const Point slope{x.slope(piece, t), y.slope(piece, t)};
    const Point bend{x.bend(piece, t), y.bend(piece, t)};
    const double speed = std::hypot(slope.x, slope.y);
    sample.heading = std::atan2(slope.y, slope.x);
    sample.curvature = cross(slope, bend) / (speed * speed * speed);
    const Point left{-slope.y / speed * kHalfWidth, slope.x / speed * kHalfWidth};
    sample.left = {sample.point.x + left.x, sample.point.y + left.y};
    sample.right = {sample.point.x - left.x, sample.point.y - left.y};
  }
}

double Track::sharpest() const {
  double most = 0;
  for (const Sample& each : samples_) most = std::max(most, std::abs(each.curvature));
  return most;
}

std::size_t Track::wrapped(std::ptrdiff_t index) const {
  constexpr auto kCount = static_cast<std::ptrdiff_t>(kSamples);
  return static_cast<std::size_t>((index % kCount + kCount) % kCount);
}

Place Track::centre(double along) const {
  const double cell = along / step_;
  const auto index = static_cast<std::ptrdiff_t>(std::floor(cell));
  const Sample &a = samples_[wrapped(index)], &b = samples_[wrapped(index + 1)];
  const double t = cell - static_cast<double>(index);
  const double turn = std::remainder(b.heading - a.heading, 2 * std::numbers::pi);
  return {along - length_ * std::floor(along / length_), 0, a.heading + t * turn,
          a.curvature + t * (b.curvature - a.curvature)};
}

Point Track::at(double along, double offset) const {
  const double cell = along / step_;
  const auto index = static_cast<std::ptrdiff_t>(std::floor(cell));
  const Sample &a = samples_[wrapped(index)], &b = samples_[wrapped(index + 1)];
  const double t = cell - static_cast<double>(index);
  const double heading = centre(along).heading;
  return {a.point.x + t * (b.point.x - a.point.x) - offset * std::sin(heading),
          a.point.y + t * (b.point.y - a.point.y) + offset * std::cos(heading)};
}

Place Track::locate(Point point, double near) const {
  const auto middle = static_cast<std::ptrdiff_t>(std::floor(near / step_));
  const auto reach = static_cast<std::ptrdiff_t>(std::ceil(40 / step_));
  double best = std::numeric_limits<double>::infinity(), along = near;
  for (std::ptrdiff_t k = middle - reach; k <= middle + reach; ++k) {
    const Point a = samples_[wrapped(k)].point;
    const Point piece = minus(samples_[wrapped(k + 1)].point, a), to = minus(point, a);
    const double t = std::clamp(
        (piece.x * to.x + piece.y * to.y) / (piece.x * piece.x + piece.y * piece.y), 0.0, 1.0);
    const double distance = std::hypot(to.x - t * piece.x, to.y - t * piece.y);
    if (distance < best) {
      best = distance;
      along = (static_cast<double>(k) + t) * step_;
    }
  }
  Place place = centre(along);
  const Point to = minus(point, at(along));
  place.offset = cross({std::cos(place.heading), std::sin(place.heading)}, to);
  return place;
}

void Track::beams(Point from, double along, std::span<const double> directions, double range,
                  std::span<double> distances) const {
  std::fill(distances.begin(), distances.end(), range);
  const auto middle = static_cast<std::ptrdiff_t>(std::floor(along / step_));
  const auto reach = std::min(static_cast<std::ptrdiff_t>(std::ceil(1.2 * range / step_)),
                              static_cast<std::ptrdiff_t>(kSamples / 2));
  const auto count = static_cast<std::size_t>(2 * reach + 1);
  std::array<double, kSamples + 1> x, y, aside;  // seen from the point; across the ray
  for (const auto edge : {&Sample::left, &Sample::right}) {
    for (std::size_t k = 0; k < count; ++k) {
      const Sample& sample = samples_[wrapped(middle - reach + static_cast<std::ptrdiff_t>(k))];
      x[k] = (sample.*edge).x - from.x;
      y[k] = (sample.*edge).y - from.y;
    }
    for (std::size_t i = 0; i < directions.size(); ++i) {
      const Point ray{std::cos(directions[i]), std::sin(directions[i])};
      for (std::size_t k = 0; k < count; ++k) aside[k] = ray.x * y[k] - ray.y * x[k];
      for (std::size_t k = 0; k + 1 < count; ++k) {
        if ((aside[k] > 0) == (aside[k + 1] > 0)) continue;  // the piece is on one side of the ray
        const double part = aside[k] / (aside[k] - aside[k + 1]);
        const double distance =
            ray.x * (x[k] + part * (x[k + 1] - x[k])) + ray.y * (y[k] + part * (y[k + 1] - y[k]));
        if (distance >= 0) distances[i] = std::min(distances[i], distance);
      }
    }
  }
}

double Track::ahead(double a, double b) const {
  return std::remainder(b - a, length_);
}

}  // namespace tenfold::env::racing
