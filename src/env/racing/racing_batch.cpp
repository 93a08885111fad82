#include "env/racing/racing_batch.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "env/actions.hpp"
#include "env/tasks/task.hpp"

namespace tenfold::env {

namespace racing {

namespace {

constexpr double kMetre = 1;  // of progress that counts

// Heading of a car against the centre line's, in [-pi, pi].
double against(const CarState& car, const Place& place) {
  return std::remainder(car.heading - place.heading, 2 * std::numbers::pi);
}

}  // namespace

RacingBatch::RacingBatch(Spec spec, bool may_end, std::size_t size, const CarFacts& car)
    : spec_(std::move(spec)),
      may_end_(may_end),
      car_(car),
      rows_(size),
      observations_(size * spec_.observation_size),
      rewards_(size),
      terminal_(size),
      truncated_(size),
      running_(size) {
  base::require(spec_.observation_size == kObservations && spec_.action_size == 2,
                "RacingBatch: the task's sizes are not the environment's");
}

void RacingBatch::reset(std::size_t row, base::Stream& stream) {
  Row& it = rows_[row];
  it.track.rebuild(Track::random(stream));
  const double offset = stream.uniform(-2, 2);
  const double turn = stream.uniform(-0.1, 0.1);
  const Point point = it.track.at(0, offset);
  it.car = {point.x, point.y, it.track.centre(0).heading + turn, stream.uniform(0, 10), 0};
  it.along = it.progress = it.best = 0;
  it.stalled = it.decisions = 0;
  begin(row);
}

void RacingBatch::begin(std::size_t row) {
  observe(row);
  rewards_[row] = 0;
  terminal_[row] = truncated_[row] = 0;
  running_[row] = 1;
}

// True when the car had left the track.
bool RacingBatch::hold_to_track(Row& row) {
  const Place place = row.track.locate({row.car.x, row.car.y}, row.along);
  row.progress += row.track.ahead(row.along, place.along);
  row.along = place.along;
  const double most = Track::kHalfWidth - car_.half_width;
  if (std::abs(place.offset) <= most) return false;
  const Point back = row.track.at(place.along, std::copysign(most, place.offset));
  const double along = std::cos(against(row.car, place));
  row.car.x = back.x;
  row.car.y = back.y;
  row.car.speed *= std::abs(along);
  row.car.heading = place.heading + (along < 0 ? std::numbers::pi : 0);
  return true;
}

double RacingBatch::control_step(Row& row, double steer, double pedal) {
  drive(car_, row.car, steer, pedal, spec_.control_dt);
  const bool hit = hold_to_track(row);
  row.stalled += 1;
  if (row.progress >= row.best + kMetre) {
    row.best = row.progress;
    row.stalled = 0;
  }
  const double forwards = row.car.speed * std::cos(against(row.car, row.track.centre(row.along)));
  return forwards / car_.top_speed - (hit ? 1 : 0);
}

void RacingBatch::step(std::span<const float> actions) {
  check_actions(spec_, actions, running_);
  for (std::size_t row = 0; row < size(); ++row) {
    Row& it = rows_[row];
    const double steer = std::clamp(static_cast<double>(actions[2 * row]), -1.0, 1.0);
    const double pedal = std::clamp(static_cast<double>(actions[2 * row + 1]), -1.0, 1.0);
    double sum = 0, last = 0;
    bool ended = false;
    for (std::int64_t taken = 0; taken < spec_.action_repeat && !ended; ++taken) {
      last = control_step(it, steer, pedal);
      sum += last;
      ended = may_end_ && it.stalled >= kPatience;
    }
    observe(row);
    rewards_[row] =
        static_cast<float>(ended ? last : sum / static_cast<double>(spec_.action_repeat));
    ++it.decisions;
    terminal_[row] = ended;
    truncated_[row] = !ended && it.decisions >= spec_.horizon;
    running_[row] = terminal_[row] == 0 && truncated_[row] == 0;
  }
}

void RacingBatch::observe(std::size_t row) {
  const Row& it = rows_[row];
  const Place place = it.track.centre(it.along);
  const Point here{it.car.x, it.car.y}, middle = it.track.at(it.along);
  const double offset =
      std::cos(place.heading) * (here.y - middle.y) - std::sin(place.heading) * (here.x - middle.x);
  std::array<double, kBeams> directions, distances;
  for (std::size_t i = 0; i < kBeams; ++i) {
    directions[i] = it.car.heading + (static_cast<double>(i) - 9) * 10 * std::numbers::pi / 180;
  }
  it.track.beams(here, it.along, directions, kRange, distances);
  float* out = observations_.data() + row * kObservations;
  const auto put = [&out](double value) { *out++ = static_cast<float>(value); };
  put(it.car.speed / car_.top_speed);
  put(slip(car_, it.car));
  put(std::cos(against(it.car, place)));
  put(std::sin(against(it.car, place)));
  put(offset / Track::kHalfWidth);
  put(it.car.steering / car_.most_steering);
  for (const double look : kLooks) {
    put(it.track.centre(it.along + look).curvature * Track::kLeastRadius);
  }
  for (const double each : distances) put(each / kRange);
  put(std::max(0.0, 1 - static_cast<double>(it.stalled) / static_cast<double>(kPatience)));
}

void RacingBatch::save(std::size_t row, std::span<double> state) const {
  base::require(state.size() == state_size(), "RacingBatch::save: wrong state size");
  const Row& it = rows_[row];
  double* out = std::copy(it.track.radii().begin(), it.track.radii().end(), state.data());
  for (const double each :
       {it.car.x, it.car.y, it.car.heading, it.car.speed, it.car.steering, it.along, it.progress,
        it.best, static_cast<double>(it.stalled), static_cast<double>(it.decisions)}) {
    *out++ = each;
  }
}

void RacingBatch::load(std::size_t row, std::span<const double> state) {
  base::require(state.size() == state_size(), "RacingBatch::load: wrong state size");
  Row& it = rows_[row];
  Track::Radii radii;
  std::copy_n(state.begin(), Track::kPoints, radii.begin());
  if (radii != it.track.radii()) it.track.rebuild(radii);
  const double* in = state.data() + Track::kPoints;
  it.car = {in[0], in[1], in[2], in[3], in[4]};
  it.along = in[5];
  it.progress = in[6];
  it.best = in[7];
  it.stalled = static_cast<std::int64_t>(in[8]);
  it.decisions = static_cast<std::int64_t>(in[9]);
  begin(row);
}

namespace {

std::unique_ptr<BatchEnv> make_racing(const Spec& spec, const NativeOptions& options) {
  return std::make_unique<RacingBatch>(spec, options.may_end, options.size);
}

}  // namespace

}  // namespace racing

std::vector<TaskEntry> racing_tasks() {
  using racing::RacingBatch;
  return {{{.name = "torcs",
            .summary = "race on a random track: speed along it, -1 for hitting its edge: -2 to 1; "
                       "25 s without progress end it",
            .source = "the paper's; track, car and reward ours, no opponents",
            .observation_size = RacingBatch::kObservations,
            .action_size = 2,
            .action_repeat = 1,
            .control_dt = 0.05,
            .least_reward = -2,
            .can_end = true},
           "",
           1000,
           nullptr,
           racing::make_racing}};
}

}  // namespace tenfold::env
