// The race as a game of choices seen from behind the car: the actor-critic paper's driving task.
#pragma once

#include <array>
#include <vector>

#include "env/batch_env.hpp"
#include "env/racing/opponents.hpp"

namespace tenfold::env::racing {

/// What a choice does: 3 p + s has pedal p of {accelerate, brake, nothing} and steering s of {left,
/// straight, right}, each all the way.
struct Controls {
  double steer = 0, pedal = 0;  ///< as drive takes them
};
constexpr std::int64_t kChoices = 9;
constexpr Controls controls_of(std::int64_t choice) {
  constexpr std::array<double, 3> kPedals = {1, -1, 0}, kSteers = {1, 0, -1};
  return {kSteers[static_cast<std::size_t>(choice % 3)],
          kPedals[static_cast<std::size_t>(choice / 3)]};
}

/// The paper's slow and fast car, the latter that of the task torcs.
constexpr CarFacts kFastCar{};
constexpr CarFacts kSlowCar{.top_speed = 25};

/// Reward of a control step: speed along the centre line over the top speed, less 1 when the car
/// leaves the track or hits another one. Ends as torcs does: after kPatience control steps without
/// a metre of progress.
class RacingGame final : public BatchEnv {
 public:
  static constexpr std::int64_t kPatience = 500;
  static constexpr std::size_t kMostOpponents = 3;

  RacingGame(Spec spec, std::size_t size, const CarFacts& car, std::size_t opponents);

  const Spec& spec() const override { return spec_; }
  std::size_t size() const override { return rows_.size(); }
  void reset(std::size_t row, base::Stream& stream) override;
  void step(std::span<const float> actions) override;
  std::span<const float> observations() const override { return {}; }
  /// draw_chase_view after the decision.
  std::span<const std::uint8_t> frames() const override { return frames_; }
  std::span<const float> rewards() const override { return rewards_; }
  std::span<const std::uint8_t> terminal() const override { return terminal_; }
  std::span<const std::uint8_t> truncated() const override { return truncated_; }
  std::uint64_t unstable_count() const override { return 0; }
  /// laps, left_track and cars_hit (control steps in which that happened).
  std::vector<std::pair<std::string, double>> episode_facts(std::size_t row) const override;
  /// The ride, decisions, the two counts, whether it brakes, and 4 numbers of every opponent.
  std::size_t state_size() const override { return kRideSize + 4 + 4 * opponents_; }
  void save(std::size_t row, std::span<double> state) const override;
  void load(std::size_t row, std::span<const double> state) override;

  /// For drawing and for drivers that may see everything.
  const Ride& ride(std::size_t row) const { return rows_[row].ride; }
  std::span<const Opponent> opponents(std::size_t row) const {
    return {rows_[row].opponents.data(), opponents_};
  }
  const CarFacts& car() const { return car_; }

 private:
  struct Row {
    Ride ride;
    std::array<Opponent, kMostOpponents> opponents;
    std::int64_t decisions = 0, left = 0, hit = 0;
    bool braking = false;
  };

  std::span<Opponent> others(Row& row) const { return {row.opponents.data(), opponents_}; }
  double control_step(Row& row, const Controls& controls);
  void begin(std::size_t row);
  void draw(std::size_t row);

  Spec spec_;
  CarFacts car_;
  std::size_t opponents_, frame_size_;
  std::vector<Row> rows_;
  std::vector<float> rewards_;
  std::vector<std::uint8_t> terminal_, truncated_, running_, frames_;
};

}  // namespace tenfold::env::racing
