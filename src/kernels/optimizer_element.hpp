// The arithmetic of one element of an optimizer step: the same in kernels over flat buffers and
// where ranks share them.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/function.hpp"
#include "kernels/flat_optimizer.hpp"

namespace tenfold::kernels {

/// torch.optim.Adam computes these in Python's doubles and hands them to float kernels.
struct AdamScalars {
  AdamScalars(std::int64_t step, const AdamOptions& options)
      : gradient_weight(static_cast<float>(1.0 - options.beta1)),
        beta2(static_cast<float>(options.beta2)),
        square_weight(static_cast<float>(1.0 - options.beta2)),
        step_size(static_cast<float>(options.lr /
                                     (1.0 - std::pow(options.beta1, static_cast<double>(step))))),
        root_correction(static_cast<float>(
            std::sqrt(1.0 - std::pow(options.beta2, static_cast<double>(step))))),
        eps(static_cast<float>(options.eps)) {}
  float gradient_weight, beta2, square_weight, step_size, root_correction, eps;
};

/// d: the gradient with its decay. Moves first, second and parameter.
TENFOLD_FUNCTION void adam_element(const AdamScalars& k, float d, float& first, float& second,
                                   float& parameter) {
  first += k.gradient_weight * (d - first);
  second = k.beta2 * second + k.square_weight * d * d;
  parameter -= k.step_size * first / (std::sqrt(second) / k.root_correction + k.eps);
}

/// In this form, equal values stay equal to the last bit.
TENFOLD_FUNCTION float polyak_element(float target, float source, float weight) {
  return target + weight * (source - target);
}

}  // namespace tenfold::kernels
