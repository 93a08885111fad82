// Activations inside kernels. Only sources of this suite that hold kernels include it.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/compat.hpp"
#include "kernels/dense_layer.hpp"

namespace tenfold::kernels {

// NaN passes through every activation, so that the numeric guards further on see it.
KOKKOS_INLINE_FUNCTION void activate(float* x, std::int64_t begin, std::int64_t end,
                                     Activation activation) {
  if (activation == Activation::kRelu) {
    for (std::int64_t c = begin; c < end; ++c) x[c] = x[c] < 0.0F ? 0.0F : x[c];
  } else if (activation == Activation::kTanh) {
    for (std::int64_t c = begin; c < end; ++c) x[c] = std::tanh(x[c]);
  }
}

}  // namespace tenfold::kernels
