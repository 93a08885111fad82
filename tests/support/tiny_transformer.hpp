// The shape of a language model that is small enough to be computed a second time.
#pragma once

#include "nn/transformer/transformer.hpp"

namespace tenfold::test {

/// Two layers of two heads of 8 that share their keys and values, 19 tokens, 64 positions.
inline nn::TransformerConfig tiny_transformer() {
  nn::TransformerConfig config;
  config.vocabulary = 19;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_width = 8;
  config.feed_forward = 24;
  config.positions = 64;
  return config;
}

}  // namespace tenfold::test
