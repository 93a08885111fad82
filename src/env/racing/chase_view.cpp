#include "env/racing/chase_view.hpp"

#include <algorithm>
#include <cmath>

#include "env/racing/canvas.hpp"

namespace tenfold::env::racing {

namespace {

constexpr double kBehind = 7, kAbove = 3.2;  // m: where the camera is
constexpr double kHorizon = 0.36, kFocal = 0.714;
constexpr double kField = 8;     // m: squares of grass
constexpr double kSight = 250;   // m
constexpr double kDetail = 120;  // m: kerbs and lines beyond are finer than pixels
constexpr Colour kGrass{62, 140, 52}, kOtherGrass{54, 124, 46}, kRoad{98, 98, 104},
    kOtherRoad{90, 90, 96}, kLine{220, 220, 215}, kKerb{205, 40, 35};

class Camera {
 public:
  explicit Camera(const CarState& car)
      : cosine_(std::cos(car.heading)),
        sine_(std::sin(car.heading)),
        x_(car.x - kBehind * cosine_),
        y_(car.y - kBehind * sine_) {}

  Seen see(Point point, double height = 0) const {
    const double dx = point.x - x_, dy = point.y - y_;
    return {dx * sine_ - dy * cosine_, height - kAbove, dx * cosine_ + dy * sine_};
  }
  Point place(double right, double ahead) const {
    return {x_ + ahead * cosine_ + right * sine_, y_ + ahead * sine_ - right * cosine_};
  }

 private:
  double cosine_, sine_, x_, y_;
};

void draw_sky(const Canvas& canvas) {
  const int end = static_cast<int>(std::ceil(canvas.horizon() - 0.5));
  for (int y = 0; y < end; ++y) {
    const double low = (y + 0.5) / canvas.horizon();
    canvas.fill_row(
        y, 0, canvas.side(),
        {static_cast<std::uint8_t>(90 + 90 * low), static_cast<std::uint8_t>(145 + 65 * low), 235});
  }
}

// Rounded down: places lie within a few hundred squares of the middle.
long whole(double squares) {
  return static_cast<long>(squares + 4096);
}

// Squares of grass, by the place on the ground that a pixel shows.
void draw_grass(const Canvas& canvas, const Camera& camera) {
  const int begin = static_cast<int>(std::ceil(canvas.horizon() - 0.5));
  for (int y = begin; y < canvas.side(); ++y) {
    const double ahead = canvas.focal() * kAbove / (y + 0.5 - canvas.horizon());
    const double wide = ahead / canvas.focal();
    const Point left = camera.place((0.5 - canvas.side() / 2.) * wide, ahead);
    const Point next = camera.place((1.5 - canvas.side() / 2.) * wide, ahead);
    if (wide > kField / 2) {  // finer than pixels
      canvas.fill_row(y, 0, canvas.side(), kGrass);
      continue;
    }
    const double step_x = (next.x - left.x) / kField, step_y = (next.y - left.y) / kField;
    int begin_x = 0;
    bool other = false;
    for (int x = 0; x < canvas.side(); ++x) {
      const long square = whole(left.x / kField + x * step_x) + whole(left.y / kField + x * step_y);
      if (((square & 1) != 0) == other) continue;
      canvas.fill_row(y, begin_x, x, other ? kOtherGrass : kGrass);
      other = !other;
      begin_x = x;
    }
    canvas.fill_row(y, begin_x, canvas.side(), other ? kOtherGrass : kGrass);
  }
}

Seen between(const Seen& a, const Seen& b, double t) {
  return {a.right + t * (b.right - a.right), a.up, a.ahead + t * (b.ahead - a.ahead)};
}

// The part of a piece of track from one share of its width to another, left to right.
void draw_strip(const Canvas& canvas, const std::array<Seen, 4>& piece, double from, double to,
                Colour colour) {
  const std::array<Seen, 4> strip = {
      between(piece[0], piece[1], from), between(piece[0], piece[1], to),
      between(piece[3], piece[2], to), between(piece[3], piece[2], from)};
  canvas.fill(strip, colour);
}

void draw_piece(const Canvas& canvas, const std::array<Seen, 4>& piece, std::size_t k) {
  const auto every = [k](std::size_t samples) { return k / samples % 2 == 0; };
  canvas.fill(piece, every(4) ? kRoad : kOtherRoad);
  if (std::min(piece[0].ahead, piece[2].ahead) > kDetail) return;
  const Colour kerb = every(2) ? kKerb : kLine;
  draw_strip(canvas, piece, 0, 0.06, k < 4 ? kLine : kerb);
  draw_strip(canvas, piece, 0.94, 1, k < 4 ? kLine : kerb);
  if (k < 2) draw_strip(canvas, piece, 0.06, 0.94, kLine);  // the start
  if (every(3)) draw_strip(canvas, piece, 0.485, 0.515, kLine);
}

bool may_be_seen(const std::array<Seen, 4>& piece) {
  constexpr double kWide = 0.5 / kFocal;
  const auto all = [&piece](auto test) { return std::all_of(piece.begin(), piece.end(), test); };
  return !all([](const Seen& each) { return each.ahead < Canvas::kNear; }) &&
         !all([](const Seen& each) { return each.ahead > kSight; }) &&
         !all([](const Seen& each) { return each.right > kWide * each.ahead; }) &&
         !all([](const Seen& each) { return -each.right > kWide * each.ahead; });
}

void draw_track(const Canvas& canvas, const Camera& camera, const Track& track) {
  const auto samples = track.samples();
  Seen left = camera.see(samples.back().left), right = camera.see(samples.back().right);
  for (std::size_t k = 0; k < samples.size(); ++k) {
    const Seen next_left = camera.see(samples[k].left), next_right = camera.see(samples[k].right);
    const std::array<Seen, 4> piece = {left, right, next_right, next_left};
    if (may_be_seen(piece)) {
      draw_piece(canvas, piece, (k + samples.size() - 1) % samples.size());
    }
    left = next_left, right = next_right;
  }
}

// A box on the ground or on another, in m along and across a car from the middle of its rear axle.
struct Box {
  double rear, front, half_width, bottom, top;
};
constexpr Box kBody{-0.8, 3.4, 0.9, 0.25, 0.85}, kCabin{-0.2, 2.0, 0.72, 0.85, 1.35};

struct CarView {
  Point place;
  double heading;
  Colour paint;
  Colour lights;
};

class BoxView {
 public:
  BoxView(const Canvas& canvas, const Camera& camera, const CarView& car, const Box& box)
      : canvas_(canvas) {
    const double cosine = std::cos(car.heading), sine = std::sin(car.heading);
    const std::array<Point, 4> corners = {
        Point{box.rear, box.half_width}, Point{box.rear, -box.half_width},
        Point{box.front, -box.half_width}, Point{box.front, box.half_width}};
    for (std::size_t k = 0; k < 4; ++k) {
      const Point at{car.place.x + corners[k].x * cosine - corners[k].y * sine,
                     car.place.y + corners[k].x * sine + corners[k].y * cosine};
      low_[k] = camera.see(at, box.bottom);
      high_[k] = camera.see(at, box.top);
    }
  }

  /// Side k lies between corners k and k + 1: rear, right, front, left. It is seen if they run from
  /// left to right before the camera.
  void draw_side(std::size_t k, Colour colour, double from = 0, double to = 1, double below = 0,
                 double above = 1) const {
    const Seen &a = low_[k], &b = low_[(k + 1) % 4];
    if (a.right * b.ahead >= b.right * a.ahead) return;
    const auto at = [&](double share, double height) {
      Seen seen = between(a, b, share);
      seen.up += height * (high_[k].up - low_[k].up);
      return seen;
    };
    canvas_.fill(
        std::array<Seen, 4>{at(from, below), at(to, below), at(to, above), at(from, above)},
        colour);
  }
  void draw_top(Colour colour) const { canvas_.fill(high_, colour); }

 private:
  const Canvas& canvas_;
  std::array<Seen, 4> low_, high_;
};

void draw_car(const Canvas& canvas, const Camera& camera, const CarView& car) {
  constexpr std::array<double, 4> kLight = {0.75, 0.6, 0.75, 0.6};
  const BoxView body(canvas, camera, car, kBody), cabin(canvas, camera, car, kCabin);
  const Box ground{kBody.rear, kBody.front, 0.85, 0, 0.25};
  const BoxView shadow(canvas, camera, car, ground);
  for (std::size_t k = 0; k < 4; ++k) shadow.draw_side(k, {25, 25, 28});
  for (std::size_t k = 0; k < 4; ++k) body.draw_side(k, car.paint.shaded(kLight[k]));
  body.draw_side(0, car.lights, 0.04, 0.3, 0.4, 0.8);
  body.draw_side(0, car.lights, 0.7, 0.96, 0.4, 0.8);
  body.draw_top(car.paint);
  for (std::size_t k = 0; k < 4; ++k) cabin.draw_side(k, {40, 50, 65});
  cabin.draw_top(car.paint.shaded(0.9));
}

constexpr std::array<Colour, 3> kPaints = {Colour{240, 205, 40}, Colour{60, 90, 235},
                                           Colour{230, 120, 215}};
constexpr Colour kDark{120, 15, 15}, kBright{255, 60, 50};

void draw_opponents(const Canvas& canvas, const Camera& camera, const Track& track,
                    std::span<const Opponent> opponents) {
  std::array<CarView, kPaints.size()> views;
  for (std::size_t k = 0; k < opponents.size(); ++k) {
    const Opponent& it = opponents[k];
    views[k] = {track.at(it.along, it.offset), track.centre(it.along).heading, kPaints[k], kDark};
  }
  const auto nearer = [&camera](const CarView& a, const CarView& b) {
    return camera.see(a.place).ahead < camera.see(b.place).ahead;
  };
  const auto end = views.begin() + static_cast<std::ptrdiff_t>(opponents.size());
  for (auto view = views.begin(); view != end; ++view) {  // far ones first
    std::iter_swap(view, std::max_element(view, end, nearer));
    const double ahead = camera.see(view->place).ahead;
    if (ahead > Canvas::kNear - Opponent::kLength && ahead < kSight) {
      draw_car(canvas, camera, *view);
    }
  }
}

void draw_speed(const Canvas& canvas, double share) {
  const int high = std::max(1, canvas.side() / 28);
  const int end = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * canvas.side()));
  for (int y = canvas.side() - high; y < canvas.side(); ++y) {
    canvas.fill_row(y, 0, end, {255, 255, 255});
    canvas.fill_row(y, end, canvas.side(), {20, 20, 20});
  }
}

}  // namespace

void draw_chase_view(const CarFacts& facts, const Ride& ride, std::span<const Opponent> opponents,
                     bool braking, int side, std::uint8_t* frame) {
  const Canvas canvas(frame, side, kHorizon, kFocal);
  const Camera camera(ride.car);
  draw_sky(canvas);
  draw_grass(canvas, camera);
  draw_track(canvas, camera, ride.track);
  draw_opponents(canvas, camera, ride.track, opponents);
  draw_car(canvas, camera,
           {{ride.car.x, ride.car.y}, ride.car.heading, {215, 35, 35}, braking ? kBright : kDark});
  draw_speed(canvas, ride.car.speed / facts.top_speed);
}

}  // namespace tenfold::env::racing
