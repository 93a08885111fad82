#include "nn/transformer/recomputed.hpp"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

#include "nn/transformer/autograd_node.hpp"

namespace tenfold::nn {

namespace {

struct Recomputation final : torch::autograd::Node {
  std::function<at::Tensor(const at::Tensor&)> body;
  at::Tensor input;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    const at::AutoGradMode graph(true);
    const at::Tensor x = input.detach().requires_grad_(true);
    torch::autograd::backward({body(x)}, {gradients[0]});
    return {x.grad()};
  }
};

}  // namespace

at::Tensor recomputed(const at::Tensor& x, std::function<at::Tensor(const at::Tensor& x)> body) {
  if (!at::GradMode::is_enabled()) return body(x);
  at::Tensor result;
  {
    const at::NoGradGuard no_graph;
    result = body(x);
  }
  const auto node = make_node<Recomputation>();
  node->body = std::move(body);
  node->input = x.detach();
  node->set_next_edges(torch::autograd::collect_next_edges(x));
  torch::autograd::create_gradient_edge(result, node);
  return result;
}

}  // namespace tenfold::nn
