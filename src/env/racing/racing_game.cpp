#include "env/racing/racing_game.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "env/actions.hpp"
#include "env/racing/chase_view.hpp"
#include "env/tasks/task.hpp"

namespace tenfold::env {

namespace racing {

RacingGame::RacingGame(Spec spec, std::size_t size, const CarFacts& car, std::size_t opponents)
    : spec_(std::move(spec)),
      car_(car),
      opponents_(opponents),
      frame_size_(static_cast<std::size_t>(3 * spec_.picture[0] * spec_.picture[0])),
      rows_(size),
      rewards_(size),
      terminal_(size),
      truncated_(size),
      running_(size),
      frames_(size * frame_size_) {
  base::require(spec_.choices == kChoices && opponents <= kMostOpponents,
                "RacingGame: the task's sizes are not the environment's");
}

void RacingGame::reset(std::size_t row, base::Stream& stream) {
  Row& it = rows_[row];
  start_ride(stream, it.ride);
  start_opponents(car_, it.ride.track, stream, others(it));
  it.decisions = it.left = it.hit = 0;
  it.braking = false;
  begin(row);
}

void RacingGame::begin(std::size_t row) {
  draw(row);
  rewards_[row] = 0;
  terminal_[row] = truncated_[row] = 0;
  running_[row] = 1;
}

void RacingGame::draw(std::size_t row) {
  draw_chase_view(car_, rows_[row].ride, opponents(row), rows_[row].braking,
                  static_cast<int>(spec_.picture[0]), frames_.data() + row * frame_size_);
}

double RacingGame::control_step(Row& row, const Controls& controls) {
  const bool left = ride_on(car_, row.ride, controls.steer, controls.pedal, spec_.control_dt);
  drive_opponents(car_, row.ride, others(row), spec_.control_dt);
  const bool hit = hold_apart(car_, row.ride, others(row));
  row.left += static_cast<std::int64_t>(left);
  row.hit += static_cast<std::int64_t>(hit);
  return forwards(row.ride) / car_.top_speed - (left || hit ? 1 : 0);
}

void RacingGame::step(std::span<const float> actions) {
  check_actions(spec_, actions, running_);
  for (std::size_t row = 0; row < size(); ++row) {
    Row& it = rows_[row];
    const Controls controls = controls_of(static_cast<std::int64_t>(actions[row]));
    double sum = 0;
    bool ended = false;
    for (std::int64_t taken = 0; taken < spec_.action_repeat && !ended; ++taken) {
      sum += control_step(it, controls);
      ended = it.ride.stalled >= kPatience;
    }
    it.braking = controls.pedal < 0;
    draw(row);
    rewards_[row] = static_cast<float>(sum);
    ++it.decisions;
    terminal_[row] = ended;
    truncated_[row] = !ended && it.decisions >= spec_.horizon;
    running_[row] = terminal_[row] == 0 && truncated_[row] == 0;
  }
}

std::vector<std::pair<std::string, double>> RacingGame::episode_facts(std::size_t row) const {
  const Row& it = rows_[row];
  return {{"laps", it.ride.progress / it.ride.track.length()},
          {"left_track", static_cast<double>(it.left)},
          {"cars_hit", static_cast<double>(it.hit)}};
}

void RacingGame::save(std::size_t row, std::span<double> state) const {
  base::require(state.size() == state_size(), "RacingGame::save: wrong state size");
  const Row& it = rows_[row];
  save_ride(it.ride, state.first(kRideSize));
  double* out = state.data() + kRideSize;
  for (const std::int64_t each :
       {it.decisions, it.left, it.hit, static_cast<std::int64_t>(it.braking)}) {
    *out++ = static_cast<double>(each);
  }
  for (const Opponent& each : opponents(row)) {
    for (const double number : {each.along, each.offset, each.speed, each.cruise}) *out++ = number;
  }
}

void RacingGame::load(std::size_t row, std::span<const double> state) {
  base::require(state.size() == state_size(), "RacingGame::load: wrong state size");
  Row& it = rows_[row];
  load_ride(state.first(kRideSize), it.ride);
  const double* in = state.data() + kRideSize;
  it.decisions = static_cast<std::int64_t>(in[0]);
  it.left = static_cast<std::int64_t>(in[1]);
  it.hit = static_cast<std::int64_t>(in[2]);
  it.braking = in[3] != 0;
  in += 4;
  for (Opponent& each : others(it)) {
    each = {in[0], in[1], in[2], in[3]};
    in += 4;
  }
  begin(row);
}

namespace {

std::unique_ptr<BatchEnv> make_game(const Spec& base, const NativeOptions& options) {
  check_may_end(base, options);
  Spec spec = base;
  const std::int64_t side = options.settings.whole("picture");
  const auto repeat = static_cast<double>(spec.action_repeat);
  spec.picture = {side, side, 3};
  spec.least_reward = -2 * repeat;
  spec.most_reward = repeat;
  const CarFacts& car = options.settings.whole("fast") == 1 ? kFastCar : kSlowCar;
  return std::make_unique<RacingGame>(
      std::move(spec), options.size, car,
      static_cast<std::size_t>(options.settings.whole("opponents")));
}

}  // namespace

}  // namespace racing

std::vector<TaskEntry> racing_game_tasks() {
  return {{{.name = "racing",
            .summary = "race on a random track, seen from behind the car: speed along it, -1 for "
                       "leaving it or hitting a car; 25 s without progress end it",
            .source = "the paper's four settings; track, cars and looks ours",
            .action_size = 1,
            .choices = racing::kChoices,
            .picture = {84, 84, 3},
            .action_repeat = 1,
            .control_dt = 0.05,
            .least_reward = -2,
            .most_reward = 1,
            .can_end = true},
           "",
           1000,
           nullptr,
           racing::make_game,
           {{"fast", 1, 0, 1, true, "1: a car of 50 m/s, 0: one of 25 m/s"},
            {"opponents", 0, 0, racing::RacingGame::kMostOpponents, true, "other cars"},
            {"picture", 84, 16, 240, true, "pixels a side"}}}};
}

}  // namespace tenfold::env
