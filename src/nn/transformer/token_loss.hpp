// Log-probabilities of given tokens without all logits at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tenfold::nn {

/// log softmax(hidden head^T)[n, targets[n]]: hidden [N, width], head [vocabulary, width], targets
/// int64 [N] -> float32 [N] (float64 of doubles). Softmax in that type, whatever hidden's. Logits
/// exist for at most chunk rows at a time, forward and backward: backward computes them again.
at::Tensor token_log_probabilities(const at::Tensor& hidden, const at::Tensor& head,
                                   const at::Tensor& targets, std::int64_t chunk);

}  // namespace tenfold::nn
