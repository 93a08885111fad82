// A rollout of one actor and the gradient that it gives: algorithms S1 to S3 of Mnih et al. 2016.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "a3c/actor.hpp"
#include "a3c/networks.hpp"
#include "a3c/tally.hpp"
#include "rl/returns.hpp"

namespace tenfold::a3c {

/// Runs rollouts of a rank's actors, one at a time. The parameters stay the same from the first
/// action to the gradient: theta' of the paper. (Its one-step methods read theta anew for every
/// action; with --t-max decisions between updates that differs only in what other actors did
/// meanwhile.)
class RolloutWorker {
 public:
  RolloutWorker(const Config& config, const Networks& networks, const env::Spec& spec,
                const at::Device& device);

  struct Inputs {
    at::Tensor parameters;  ///< [P]
    at::Tensor target;      ///< [P], read by methods with Q
    double epsilon = 0;     ///< of methods with Q
  };
  /// Up to t_max decisions of each of the actor's environments; with one environment fewer where
  /// its episode ends, with several episodes end within. gradient, float32 [P], gets that of
  ///   a3c: sum of -log pi(a) (R - V) - beta H + value_coef (R - V)^2,
  ///   q, sarsa, nstep-q: sum of value_coef (y - Q(s, a))^2
  /// over all decisions, not averaged. Returns how many there were. Throws Code::kNumeric for a
  /// reward that is not a number, naming actor and decision.
  std::int64_t run(Actor& actor, const Inputs& inputs, const at::Tensor& gradient, Tally& tally);

 private:
  std::size_t at(std::int64_t t, std::size_t row) const {
    return static_cast<std::size_t>(t) * rows_ + row;
  }
  void begin(Actor& actor, const Inputs& inputs);
  void look(Actor& actor, std::int64_t t, const Inputs& inputs);
  void choose(Actor& actor, std::int64_t t, double epsilon);
  void record(Actor& actor, std::int64_t t, const Inputs& inputs, Tally& tally);
  float learning_reward(Actor& actor, std::size_t row) const;
  float value_of_last(Actor& actor, std::int64_t t, std::size_t row, const Inputs& inputs);
  void follow_up(Actor& actor, std::int64_t count, const Inputs& inputs);
  float one_step_next(const Actor& actor, std::int64_t t, std::int64_t count,
                      std::size_t row) const;
  void policy_gradients(std::int64_t count, Tally& tally);
  void value_gradients(const Actor& actor, std::int64_t count, Tally& tally);

  const Config& config_;
  Method method_;
  Head head_;
  std::size_t rows_, width_;  ///< E; numbers of an action
  std::size_t choices_;
  bool recurrent_, begun_ = false;
  Passes passes_;
  std::unique_ptr<Passes> target_;  ///< of methods with Q
  Passes tail_;                     ///< one row: what a cut episode's last state is worth
  // [T, E]
  std::vector<float> rewards_, bootstrap_, values_, advantages_, returns_, actions_, entropies_;
  std::vector<rl::After> after_;
  std::vector<float> probabilities_;  ///< [T, E, n]
  std::vector<float> one_memory_;     ///< of one row
};

}  // namespace tenfold::a3c
