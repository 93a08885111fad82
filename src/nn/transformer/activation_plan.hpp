// What a forward and backward pass of a transformer holds: closed forms, without LibTorch.
//
// n is the bytes of a number (4, or 2 in bfloat16), T the tokens of the pass with padding, D the
// width, Q and K the columns of queries and of keys, F the feed-forward width. LibTorch's autograd
// keeps, of each layer and token (all parameters learned):
//
//   two norms      n 3 D   what goes in, the normalised, the result (it leads into a product). In
//                          bfloat16 what goes in is kept as float32: 8 D
//   attention      n 5 Q   rotated queries, keys and values repeated for every query head, the
//                  result by heads and by tokens; or n (4 Q + 3 K) with as many key heads as query
//                  heads: rotated queries and keys, the product that values are a part of, results
//                  4 H     logarithms of softmax's denominators
//   feed-forward   n 4 F   gate and up, the gate's activation, their product
//
// GPT-2: norms n 2 D, attention n 4 D, feed-forward n 2 F. Frozen parameters beside adapters spare
// the normalised, and adapters add what lies between their two products: n rank each. With
// recomputation only what goes into a layer is kept, n D, and all of the above of one layer at a
// time. Beside layers: n (4 D + head width) for the last norm, the rotation and what is predicted
// from, and n L for a row of L tokens, whose queries see some of its keys and others not.
//
// The backward pass needs most where logits are (a chunk of them, their softmax, the head's
// gradient) or in a layer's feed-forward part. Counted with LibTorch 2.13 on the CPU
// (tests/unit/nn_activation_plan_test.cpp); kernels of GPUs keep less of norms.
#pragma once

#include <cstddef>
#include <cstdint>

#include "nn/transformer/transformer_config.hpp"

namespace tenfold::nn {

/// A pass that is learned from.
struct LearningPass {
  double tokens = 0;     ///< B L, with padding
  double length = 0;     ///< L, of a row
  double predicted = 0;  ///< tokens whose log-probabilities are wanted
  double logits_chunk = 1024;
  std::int64_t lora_rank = 0;  ///< of adapters of every linear module; 0: parameters learn
  bool bfloat16 = false;       ///< parameters and activations; gradients of parameters are float32
  bool recompute = false;      ///< TransformerWeights::set_recompute
};

/// A pass of so many rows of this length.
inline LearningPass pass_of(std::int64_t rows, std::int64_t length, std::size_t predicted) {
  LearningPass pass;
  pass.length = static_cast<double>(length);
  pass.tokens = static_cast<double>(rows) * pass.length;
  pass.predicted = static_cast<double>(predicted);
  return pass;
}

struct PassBytes {
  double kept = 0;      ///< at the end of the forward pass
  double backward = 0;  ///< beyond that, at the backward pass's peak
};
PassBytes bytes_of(const TransformerConfig& config, const LearningPass& pass);

}  // namespace tenfold::nn
