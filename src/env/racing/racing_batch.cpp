#include "env/racing/racing_batch.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "env/actions.hpp"
#include "env/tasks/task.hpp"

namespace tenfold::env {

namespace racing {

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
  start_ride(stream, rows_[row].ride);
  rows_[row].decisions = 0;
  begin(row);
}

void RacingBatch::begin(std::size_t row) {
  observe(row);
  rewards_[row] = 0;
  terminal_[row] = truncated_[row] = 0;
  running_[row] = 1;
}

double RacingBatch::control_step(Ride& ride, double steer, double pedal) {
  const bool hit = ride_on(car_, ride, steer, pedal, spec_.control_dt);
  return forwards(ride) / car_.top_speed - (hit ? 1 : 0);
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
      last = control_step(it.ride, steer, pedal);
      sum += last;
      ended = may_end_ && it.ride.stalled >= kPatience;
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
  const Ride& it = rows_[row].ride;
  const Place place = it.track.centre(it.along);
  const Point here{it.car.x, it.car.y};
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
  put(offset(it) / Track::kHalfWidth);
  put(it.car.steering / car_.most_steering);
  for (const double look : kLooks) {
    put(it.track.centre(it.along + look).curvature * Track::kLeastRadius);
  }
  for (const double each : distances) put(each / kRange);
  put(std::max(0.0, 1 - static_cast<double>(it.stalled) / static_cast<double>(kPatience)));
}

void RacingBatch::save(std::size_t row, std::span<double> state) const {
  base::require(state.size() == state_size(), "RacingBatch::save: wrong state size");
  save_ride(rows_[row].ride, state.first(kRideSize));
  state.back() = static_cast<double>(rows_[row].decisions);
}

void RacingBatch::load(std::size_t row, std::span<const double> state) {
  base::require(state.size() == state_size(), "RacingBatch::load: wrong state size");
  load_ride(state.first(kRideSize), rows_[row].ride);
  rows_[row].decisions = static_cast<std::int64_t>(state.back());
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
