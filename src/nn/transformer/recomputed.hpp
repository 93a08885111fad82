// Activations that are computed again for the gradient instead of being kept (Chen et al. 2016).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace tenfold::nn {

/// body(x), of which only x is kept: backward runs body again. Gradients of leaves that body uses
/// are added to them. What body refers to must outlive the backward pass.
at::Tensor recomputed(const at::Tensor& x, std::function<at::Tensor(const at::Tensor& x)> body);

}  // namespace tenfold::nn
