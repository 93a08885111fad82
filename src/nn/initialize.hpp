// Start values of flat parameters.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nn/parameter_layout.hpp"

namespace tenfold::nn {

/// From counter-based streams (seed, kParameterInit, index), one stream per entry: uniform within
/// each entry's bounds. flat: float32 [flat_size], contiguous, on any device; padding zeroed.
void initialize_flat(const at::Tensor& flat, const ParameterLayout& layout, std::uint32_t seed,
                     std::uint32_t index);

/// Throws Code::kBug unless flat is contiguous float32 [flat_size].
void check_flat_shape(const at::Tensor& flat, const ParameterLayout& layout);

}  // namespace tenfold::nn
