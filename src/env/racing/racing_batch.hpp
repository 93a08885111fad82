// The paper's torcs task, native: one car on a random closed track.
#pragma once

#include <array>
#include <vector>

#include "env/batch_env.hpp"
#include "env/racing/ride.hpp"

namespace tenfold::env::racing {

/// Actions: steering (1: all to the left) and pedal (1: full throttle, -1: full brake).
///
/// Reward of a control step: speed along the centre line over the top speed, less 1 when the car
/// hits the edge of the track. The edge is a wall: the car is put back on the track, turned along
/// it, and keeps the speed it had along it. The task ends after kPatience control steps in which it
/// came no metre further than ever before.
///
/// Observation: speed over top speed, slip, cosine and sine of the heading against the centre
/// line's, offset over half the track's width, steering over its most, curvature times
/// Track::kLeastRadius at kLooks ahead, 19 beams (from right to left, every 10 degrees, up to
/// kRange) over kRange, and the patience left in [0, 1].
class RacingBatch final : public BatchEnv {
 public:
  static constexpr std::int64_t kPatience = 500;
  static constexpr std::size_t kBeams = 19;
  static constexpr double kRange = 100;                                 ///< m
  static constexpr std::array<double, 5> kLooks = {0, 10, 25, 45, 70};  ///< m
  static constexpr std::size_t kObservations = 6 + kLooks.size() + kBeams + 1;

  /// may_end false: no end for want of progress.
  RacingBatch(Spec spec, bool may_end, std::size_t size, const CarFacts& car = {});

  const Spec& spec() const override { return spec_; }
  std::size_t size() const override { return rows_.size(); }
  void reset(std::size_t row, base::Stream& stream) override;
  /// Throws Code::kNumeric for an action that is not a number.
  void step(std::span<const float> actions) override;
  std::span<const float> observations() const override { return observations_; }
  std::span<const float> rewards() const override { return rewards_; }
  std::span<const std::uint8_t> terminal() const override { return terminal_; }
  std::span<const std::uint8_t> truncated() const override { return truncated_; }
  std::uint64_t unstable_count() const override { return 0; }
  /// The track's radii, x, y, heading, speed, steering, along, progress, best, stalled, decisions.
  std::size_t state_size() const override { return kRideSize + 1; }
  void save(std::size_t row, std::span<double> state) const override;
  void load(std::size_t row, std::span<const double> state) override;

  /// For drawing and for drivers that may see everything.
  const Track& track(std::size_t row) const { return rows_[row].ride.track; }
  const CarState& car(std::size_t row) const { return rows_[row].ride.car; }

 private:
  struct Row {
    Ride ride;
    std::int64_t decisions = 0;
  };

  double control_step(Ride& ride, double steer, double pedal);
  void begin(std::size_t row);
  void observe(std::size_t row);

  Spec spec_;
  bool may_end_;
  CarFacts car_;
  std::vector<Row> rows_;
  std::vector<float> observations_, rewards_;
  std::vector<std::uint8_t> terminal_, truncated_, running_;
};

}  // namespace tenfold::env::racing
