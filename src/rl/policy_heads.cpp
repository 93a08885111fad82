#include "rl/policy_heads.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tenfold::rl {

namespace {

double softplus(double x) {
  return x > 30 ? x : std::log1p(std::exp(x));
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

double squared_distance(std::span<const float> outputs, std::span<const float> action) {
  double sum = 0;
  for (std::size_t i = 0; i < action.size(); ++i) {
    const double apart = static_cast<double>(action[i]) - outputs[i];
    sum += apart * apart;
  }
  return sum;
}

}  // namespace

double Categorical::probabilities(std::span<const float> logits, std::span<float> probabilities) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  float sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] = std::exp(logits[i] - largest);
    sum += probabilities[i];
  }
  // H = log(sum) - sum(p (z - largest)): no logarithm of a probability that is 0.
  double mean = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] /= sum;
    mean += static_cast<double>(probabilities[i]) * (logits[i] - largest);
  }
  return std::log(static_cast<double>(sum)) - mean;
}

std::int64_t Categorical::draw(std::span<const float> probabilities, base::Stream& stream) {
  double left = stream.uniform();
  for (std::size_t i = 0; i + 1 < probabilities.size(); ++i) {
    left -= probabilities[i];
    if (left < 0) return static_cast<std::int64_t>(i);
  }
  return static_cast<std::int64_t>(probabilities.size()) - 1;
}

void Categorical::gradient(std::span<const float> probabilities, double entropy,
                           std::int64_t choice, const PolicyTarget& target,
                           std::span<float> gradient) {
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double p = probabilities[i];
    const double hit = static_cast<std::int64_t>(i) == choice ? 1 : 0;
    const double spread = p > 0 ? p * (std::log(p) + entropy) : 0;
    gradient[i] = static_cast<float>(target.advantage * (p - hit) + target.entropy_cost * spread);
  }
}

double SphericalGaussian::variance(std::span<const float> outputs) {
  return softplus(outputs.back()) + kLeast;
}

double SphericalGaussian::entropy(std::size_t k, double variance) {
  return 0.5 * static_cast<double>(k) * (std::log(2 * std::numbers::pi * variance) + 1);
}

double SphericalGaussian::log_probability(std::span<const float> outputs,
                                          std::span<const float> action) {
  const double v = variance(outputs);
  return -0.5 * squared_distance(outputs, action) / v -
         0.5 * static_cast<double>(action.size()) * std::log(2 * std::numbers::pi * v);
}

void SphericalGaussian::draw(std::span<const float> outputs, base::Stream& stream,
                             std::span<float> action) {
  const double deviation = std::sqrt(variance(outputs));
  for (std::size_t i = 0; i < action.size(); ++i) {
    action[i] = static_cast<float>(outputs[i] + deviation * stream.normal());
  }
}

void SphericalGaussian::gradient(std::span<const float> outputs, std::span<const float> action,
                                 const PolicyTarget& target, std::span<float> gradient) {
  const double v = variance(outputs);
  const auto k = static_cast<double>(action.size());
  for (std::size_t i = 0; i < action.size(); ++i) {
    const double apart = static_cast<double>(action[i]) - outputs[i];
    gradient[i] = static_cast<float>(-target.advantage * apart / v);
  }
  const double of_log = squared_distance(outputs, action) / (2 * v * v) - k / (2 * v);
  const double of_entropy = k / (2 * v);
  gradient.back() = static_cast<float>(
      (-target.advantage * of_log - target.entropy_cost * of_entropy) * sigmoid(outputs.back()));
}

std::int64_t greedy(std::span<const float> values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

std::int64_t epsilon_greedy(std::span<const float> values, double epsilon, base::Stream& stream) {
  const bool explore = stream.uniform() < epsilon;
  const auto any = static_cast<std::int64_t>(stream.below(values.size()));
  return explore ? any : greedy(values);
}

}  // namespace tenfold::rl
