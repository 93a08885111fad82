// Stochastic policies over a network's outputs: draws, entropies, and the gradients of
//   loss = -advantage log pi(a) - entropy_cost H(pi)
// with regard to the outputs (Mnih et al. 2016, algorithm S3 and section 4). The advantage is a
// constant.
#pragma once

#include <cstdint>
#include <span>

#include "base/philox.hpp"

namespace tenfold::rl {

/// What a step of a policy gradient wants.
struct PolicyTarget {
  double advantage = 0;
  double entropy_cost = 0;  ///< beta
};

/// Softmax over logits [n].
struct Categorical {
  /// probabilities [n] <- softmax(logits). Returns the entropy in nats.
  static double probabilities(std::span<const float> logits, std::span<float> probabilities);
  /// One uniform draw turned into a choice.
  static std::int64_t draw(std::span<const float> probabilities, base::Stream& stream);
  /// gradient [n]: advantage (pi - onehot(choice)) + beta pi (log pi + H). May be probabilities.
  static void gradient(std::span<const float> probabilities, double entropy, std::int64_t choice,
                       const PolicyTarget& target, std::span<float> gradient);
};

/// Normal with mean mu [k] and one variance softplus(s) + kLeast for all components: outputs are
/// mu, then s (section 9 of the paper's supplement).
struct SphericalGaussian {
  static constexpr double kLeast = 1e-6;
  static double variance(std::span<const float> outputs);
  /// k / 2 (log(2 pi variance) + 1).
  static double entropy(std::size_t k, double variance);
  static double log_probability(std::span<const float> outputs, std::span<const float> action);
  /// action [k], not clipped.
  static void draw(std::span<const float> outputs, base::Stream& stream, std::span<float> action);
  /// gradient [k + 1].
  static void gradient(std::span<const float> outputs, std::span<const float> action,
                       const PolicyTarget& target, std::span<float> gradient);
};

/// Index of the largest value, the first of several.
std::int64_t greedy(std::span<const float> values);
/// Uniform over all choices with probability epsilon, else greedy. Two draws.
std::int64_t epsilon_greedy(std::span<const float> values, double epsilon, base::Stream& stream);

}  // namespace tenfold::rl
