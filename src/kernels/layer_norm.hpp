// Layer normalisation over the columns of each row (Ba et al. 2016), fused with bias and
// activation.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/dense_layer.hpp"

namespace tenfold::kernels {

// Tensors as in dense_layer.hpp: float32 [S, B, C], rows contiguous. A row's result depends on that
// row alone, and its sums over columns are in double: the bits are the same whatever S and B are.

/// z = x + bias; xhat = (z - mean(z)) * inv_std(z) over the columns, with the biased variance plus
/// eps (torch.nn.LayerNorm's convention); x <- activation(gamma * xhat + beta). bias, gamma, beta:
/// [C]; xhat like x; inv_std: float64 [S, B].
void layer_norm_activation(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& gamma,
                           const at::Tensor& beta, double eps, Activation activation,
                           const at::Tensor& xhat, const at::Tensor& inv_std);
/// dy, the gradient of gamma * xhat + beta, becomes that of z, in place. The gradients of beta and
/// gamma are batch_norm_backward_sums of dy before.
void layer_norm_backward(const at::Tensor& dy, const at::Tensor& xhat, const at::Tensor& gamma,
                         const at::Tensor& inv_std);

}  // namespace tenfold::kernels
