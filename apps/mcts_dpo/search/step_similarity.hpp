// How alike two sampled steps are to the model that wrote them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::mcts_dpo {

/// A step's tokens [n] with the model's last-layer states of the first ones, [k, width], k < n or
/// k = n.
struct SteppedStates {
  std::span<const std::int32_t> tokens;
  std::span<const float> states;
  std::int64_t width = 0;
};

/// F1 of greedy matching by cosine (as BERTScore, Zhang et al. 2020, and the published code): of
/// every token of one step the largest cosine with a token of the other, mean over the tokens of
/// each step, harmonic mean of both means. Tokens without a state (the last one, which decoding
/// never reads) go with each other alone: 1 for the same token, else 0. Not mean-pooled cosines:
/// those of a causal model's states are near 1 for any two steps of one question. In [-1, 1]; 0
/// where the means add up to 0 or less. Neither step may be empty.
double step_similarity(const SteppedStates& a, const SteppedStates& b);

}  // namespace tenfold::mcts_dpo
