#include "nn/transformer/gradient_sink.hpp"

#include <torch/csrc/autograd/variable.h>

#include <cstdint>
#include <utility>

#include "nn/transformer/autograd_node.hpp"

namespace tenfold::nn {

namespace {

struct Sink final : torch::autograd::Node {
  // As leaves have it: what is first in the queue takes its gradient before others are computed.
  Sink() : Node(UINT64_MAX) {}

  std::function<void(const at::Tensor&)> take;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    if (gradients[0].defined()) take(gradients[0]);
    return {};
  }
};

}  // namespace

at::Tensor with_sink(const at::Tensor& value,
                     std::function<void(const at::Tensor& gradient)> take) {
  at::Tensor result = value.detach();
  const auto node = make_node<Sink>();
  node->take = std::move(take);
  torch::autograd::create_gradient_edge(result, node);
  return result;
}

}  // namespace tenfold::nn
