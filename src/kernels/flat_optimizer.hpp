// Adam and Polyak averaging in one pass over flat parameter buffers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tenfold::kernels {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  /// Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW: the decay shrinks the parameter
  /// by lr * decay before the step, instead of being added to the gradient.
  bool decoupled_decay = false;
};

/// One Adam step (Kingma & Ba 2015, algorithm 1; same arithmetic as torch.optim.Adam with coupled
/// weight decay, or AdamW): g <- gradient + l2 * parameter; m, v updated; parameter moved. All
/// tensors are contiguous float32 [P] on one device; l2 is the per-element decay or undefined for
/// none.
/// step counts from 1.
void adam_step(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& m,
               const at::Tensor& v, const at::Tensor& l2, std::int64_t step,
               const AdamOptions& options);

/// target <- tau * source + (1 - tau) * target, float32 [P] (Lillicrap et al. 2016, algorithm 1).
void polyak(const at::Tensor& target, const at::Tensor& source, double tau);

/// values <- factor * values, float32, contiguous.
void scale(const at::Tensor& values, double factor);

/// Sum of the squares of all elements, in double: as 16 sums that are added up at the end. float32,
/// contiguous. Waits for the result.
double sum_of_squares(const at::Tensor& values);

/// Index of the first element that is not finite, or -1. float32 or float64, contiguous.
std::int64_t first_nonfinite(const at::Tensor& values);

}  // namespace tenfold::kernels
