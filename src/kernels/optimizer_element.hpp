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

/// As Mnih et al. 2016, section 4, equations 8 and 9, write it: eps lies inside the root (torch's
/// RMSprop has it outside). Moves square and parameter.
struct RmspropScalars {
  RmspropScalars(double lr, double alpha, double eps_inside)
      : decay(static_cast<float>(alpha)),
        weight(static_cast<float>(1.0 - alpha)),
        step_size(static_cast<float>(lr)),
        eps(static_cast<float>(eps_inside)) {}
  float decay, weight, step_size, eps;
};
/// The step alone, for who subtracts it elsewhere; moves square.
TENFOLD_FUNCTION float rmsprop_step(const RmspropScalars& k, float d, float& square) {
  square = k.decay * square + k.weight * d * d;
  return k.step_size * d / std::sqrt(square + k.eps);
}

/// Momentum as that paper writes it: m <- alpha m + (1 - alpha) d, and a step of lr m. Moves m.
struct MomentumScalars {
  MomentumScalars(double lr, double alpha)
      : decay(static_cast<float>(alpha)),
        weight(static_cast<float>(1.0 - alpha)),
        step_size(static_cast<float>(lr)) {}
  float decay, weight, step_size;
};
TENFOLD_FUNCTION float momentum_step(const MomentumScalars& k, float d, float& momentum) {
  momentum = k.decay * momentum + k.weight * d;
  return k.step_size * momentum;
}

/// In this form, equal values stay equal to the last bit.
TENFOLD_FUNCTION float polyak_element(float target, float source, float weight) {
  return target + weight * (source - target);
}

}  // namespace tenfold::kernels
