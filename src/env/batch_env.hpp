// What an agent acts in: a batch of environments of one task, stepped together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/philox.hpp"

namespace tenfold::env {

/// Facts of a task that do not change. Actions are continuous, normalised to [-1, 1], or choices.
///
/// A decision is one action, held for action_repeat control steps, rewarded by the mean of their
/// rewards. With rewards in [0, 1] an episode's return is at most horizon; return * 1000 / horizon
/// is dm_control's scale (1000 control steps at repeat 2: 500 decisions, so return * 2).
///
/// A task may end an episode (a fall). That ends the decision at once, and its reward is the last
/// control step's alone: a fall costs the same whatever the repeat.
///
/// A game (choices > 0) has a few actions to choose from, and its rewards are sums over the repeat.
struct Spec {
  std::string name;
  std::string summary;
  std::string source;  ///< where its numbers come from
  std::size_t observation_size = 0;
  std::size_t action_size = 0;
  /// > 0: an action is one of the whole numbers 0 to choices - 1, action_size is 1.
  std::int64_t choices = 0;
  /// Height, width and channels where an observation is a picture, contiguous in this order, top
  /// row first: in observations(), or with observation_size 0 as bytes in frames(). 0 otherwise.
  std::array<std::int64_t, 3> picture{};
  std::int64_t horizon = 0;                  ///< decisions until the time limit
  std::int64_t action_repeat = 1;            ///< control steps per decision; rewards are their mean
  double control_dt = 0;                     ///< seconds per control step
  double least_reward = 0, most_reward = 1;  ///< of a decision
  bool can_end = false;                      ///< the task may end an episode before its time limit
};

/// E environments. Rows are environments; all spans stay valid and are overwritten by the next
/// call. A row is not reset by itself: the caller sees the true last observation, then calls
/// reset(row).
class BatchEnv {
 public:
  virtual ~BatchEnv() = default;
  virtual const Spec& spec() const = 0;
  virtual std::size_t size() const = 0;

  /// Starts a new episode in one row from the stream's draws and writes its first observation.
  virtual void reset(std::size_t row, base::Stream& stream) = 0;
  /// actions: [E, action_size], clipped to [-1, 1]; choices as they are (Code::kBug for others).
  /// Every row must be inside an episode.
  virtual void step(std::span<const float> actions) = 0;

  virtual std::span<const float> observations() const = 0;  ///< [E, observation_size]
  /// [E, height, width, channels] where Spec::picture is given and observation_size 0.
  virtual std::span<const std::uint8_t> frames() const { return {}; }
  virtual std::span<const float> rewards() const = 0;  ///< [E], as Spec says
  virtual std::span<const std::uint8_t> terminal()
      const = 0;  ///< [E] 1: the task ended the episode
  virtual std::span<const std::uint8_t> truncated()
      const = 0;  ///< [E] 1: time limit or unstable physics
  /// [E] 1: an end for the learner alone (a life lost): no bootstrap from here, yet the episode and
  /// its score go on. Empty: the task has no such ends.
  virtual std::span<const std::uint8_t> life_lost() const { return {}; }
  virtual std::uint64_t unstable_count() const = 0;  ///< episodes cut for unstable physics so far
  /// What else an evaluator may want to know of a row's episode so far, by name; NaN where there is
  /// nothing to say of this one. The names are the same for every episode of a task. Allocates: for
  /// the end of an episode, not for every step.
  virtual std::vector<std::pair<std::string, double>> episode_facts(std::size_t /*row*/) const {
    return {};
  }

  /// Exact state of one row (physics, step count, targets), for checkpoints: after load, the same
  /// actions give the same bits. Sizes in doubles, constant for the task.
  virtual std::size_t state_size() const = 0;
  virtual void save(std::size_t row, std::span<double> state) const = 0;
  virtual void load(std::size_t row, std::span<const double> state) = 0;
  /// False after a load that could not bring the row's state back: the task is not determined by
  /// what a state holds. The row must then be reset.
  virtual bool restored(std::size_t /*row*/) const { return true; }
  /// True: reset, step and load run a user's code, which may throw on one rank alone. Callers agree
  /// on such errors.
  virtual bool may_raise() const { return false; }
};

}  // namespace tenfold::env
