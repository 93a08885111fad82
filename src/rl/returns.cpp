#include "rl/returns.hpp"

#include "base/error.hpp"

namespace tenfold::rl {

namespace {

void check(const RolloutFacts& rollout) {
  const std::size_t size = rollout.steps * rollout.rows;
  base::require(rollout.rewards.size() >= size && rollout.after.size() >= size &&
                    rollout.bootstrap.size() >= size,
                "returns: arrays are shorter than the rollout");
}

// Whether what follows step t in this row is not within the rollout.
bool leaves(const RolloutFacts& rollout, std::size_t t, std::size_t at) {
  return rollout.after[at] != After::kNext || t + 1 == rollout.steps;
}

}  // namespace

void n_step_returns(const RolloutFacts& rollout, std::span<float> returns) {
  check(rollout);
  for (std::size_t row = 0; row < rollout.rows; ++row) {
    double following = 0;
    for (std::size_t t = rollout.steps; t-- > 0;) {
      const std::size_t at = t * rollout.rows + row;
      if (rollout.after[at] == After::kEnd) {
        following = 0;
      } else if (leaves(rollout, t, at)) {
        following = rollout.bootstrap[at];
      }
      following = rollout.rewards[at] + rollout.gamma * following;
      returns[at] = static_cast<float>(following);
    }
  }
}

void lambda_returns(const RolloutFacts& rollout, double lambda, std::span<const float> values,
                    std::span<float> advantages, std::span<float> returns) {
  check(rollout);
  for (std::size_t row = 0; row < rollout.rows; ++row) {
    double advantage = 0;
    for (std::size_t t = rollout.steps; t-- > 0;) {
      const std::size_t at = t * rollout.rows + row;
      double next = 0;
      if (leaves(rollout, t, at)) {
        advantage = 0;
        if (rollout.after[at] != After::kEnd) next = rollout.bootstrap[at];
      } else {
        next = values[at + rollout.rows];
      }
      const double delta = rollout.rewards[at] + rollout.gamma * next - values[at];
      advantage = delta + rollout.gamma * lambda * advantage;
      advantages[at] = static_cast<float>(advantage);
      returns[at] = static_cast<float>(advantage + values[at]);
    }
  }
}

}  // namespace tenfold::rl
