// Ends of LibTorch's graph that are not leaves: where the gradient goes is the caller's.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace tenfold::nn {

/// value as a part of the graph: every backward pass that reaches it hands its gradient, of value's
/// shape and type, to take. A leaf can only add it up in its own type; parameters in bfloat16 want
/// theirs in float32. Shares value's memory, may be used by any number of graphs, whose gradients
/// take sees one by one.
at::Tensor with_sink(const at::Tensor& value, std::function<void(const at::Tensor& gradient)> take);

}  // namespace tenfold::nn
