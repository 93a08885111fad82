// Returns and advantages over a rollout of T steps in E environments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tenfold::rl {

/// What came after a step: the episode went on, the task ended it, or a time limit cut it.
enum class After : std::uint8_t { kNext, kEnd, kCut };

/// The rollout as all functions here take it; arrays are [T, E], row-major.
struct RolloutFacts {
  std::size_t steps = 0, rows = 0;
  std::span<const float> rewards;
  std::span<const After> after;
  /// Estimate of what follows the state that a step led to: read where the episode was cut, and at
  /// the last step where it goes on.
  std::span<const float> bootstrap;
  double gamma = 0.99;
};

/// R <- r + gamma R backwards, from the bootstrap, 0 after an end: the returns of algorithms S2 and
/// S3 of Mnih et al. 2016, 1 step long for the last state and up to T for the first.
void n_step_returns(const RolloutFacts& rollout, std::span<float> returns);

/// Generalised advantages (Schulman et al. 2016, equation 16), cut at ends of episodes: A = delta +
/// gamma lambda A', delta = r + gamma V' - V; and returns A + V. lambda 1 gives n_step_returns and
/// R - V. values: V of the states that the steps began in, [T, E].
void lambda_returns(const RolloutFacts& rollout, double lambda, std::span<const float> values,
                    std::span<float> advantages, std::span<float> returns);

}  // namespace tenfold::rl
