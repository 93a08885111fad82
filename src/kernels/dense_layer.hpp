// What surrounds the matrix products of a small multilayer perceptron, fused: bias and activation,
// their gradients, batch normalisation with statistics per virtual shard.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/activation.hpp"

namespace tenfold::kernels {

// Tensors are float32, rows contiguous: x is [S, B, C] with strides (pitch, C, 1): S virtual shards
// of B rows. Every result element is computed by the same operations in the same order whatever S
// is.

/// x <- activation(x + bias), in place; bias is [C] or undefined.
void bias_activation(const at::Tensor& x, const at::Tensor& bias, Activation activation);
/// The same, and keeps x + bias in before, [S, B, C].
void bias_activation_keep(const at::Tensor& x, const at::Tensor& bias, Activation activation,
                          const at::Tensor& before);
/// dy <- dy * activation'(y) in place, from the activation's output y.
void activation_backward(const at::Tensor& dy, const at::Tensor& y, Activation activation);
/// x <- x + factor * term, of one shape.
void add_scaled(const at::Tensor& x, const at::Tensor& term, double factor);
/// gradient[s, c] = sum over rows b = 0, 1, ... of dy[s, b, c]; gradient is [S, C], row stride
/// free.
void bias_gradient(const at::Tensor& dy, const at::Tensor& gradient);

/// rows[s, p] <- 0 for first <= p < last of each range (first, last); rows is float32 [S, P],
/// ranges int64 [R, 2] on the same device.
void zero_ranges(const at::Tensor& rows, const at::Tensor& ranges);

/// sums[s, 0:C] = sum of x, sums[s, C:2C] = sum of x^2 over the rows of shard s; float64 [S, 2C].
void batch_norm_sums(const at::Tensor& x, const at::Tensor& sums);
/// From total sums over count rows: mean and inverse standard deviation (biased variance plus eps),
/// float64 [C] each; running statistics, float32 [C], move by momentum towards mean and the
/// unbiased variance when defined (torch.nn.BatchNorm1d's convention).
void batch_norm_statistics(const at::Tensor& total, double count, double eps, double momentum,
                           const at::Tensor& mean, const at::Tensor& inv_std,
                           const at::Tensor& running_mean, const at::Tensor& running_var);
/// The same two from running statistics, for acting and evaluation.
void batch_norm_running(const at::Tensor& running_mean, const at::Tensor& running_var, double eps,
                        const at::Tensor& mean, const at::Tensor& inv_std);
/// xhat = (x - mean) * inv_std; y = gamma * xhat + beta. x and y may be the same tensor.
void batch_norm_apply(const at::Tensor& x, const at::Tensor& mean, const at::Tensor& inv_std,
                      const at::Tensor& gamma, const at::Tensor& beta, const at::Tensor& xhat,
                      const at::Tensor& y);
/// sums[s, 0:C] = sum of dy, sums[s, C:2C] = sum of dy * xhat; float64 [S, 2C]. These are also the
/// gradients of beta and gamma.
void batch_norm_backward_sums(const at::Tensor& dy, const at::Tensor& xhat, const at::Tensor& sums);
/// dx = gamma * inv_std * (dy - total[0:C]/count - xhat * total[C:2C]/count), the gradient through
/// the batch statistics; dx may be dy. With count 0 the statistics are constants (running
/// averages).
void batch_norm_backward(const at::Tensor& dy, const at::Tensor& xhat, const at::Tensor& gamma,
                         const at::Tensor& inv_std, const at::Tensor& total, double count,
                         const at::Tensor& dx);

}  // namespace tenfold::kernels
