#include "nn/transformer/token_loss.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_softmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

at::ScalarType softmax_type(const at::Tensor& hidden) {
  return hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

class TokenLogProbabilities : public torch::autograd::Function<TokenLogProbabilities> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& hidden,
                            const at::Tensor& head, const at::Tensor& targets, std::int64_t chunk) {
    context->save_for_backward({hidden, head, targets});
    context->saved_data["chunk"] = chunk;
    const at::ScalarType type = softmax_type(hidden);
    at::Tensor result = at::empty({hidden.size(0)}, hidden.options().dtype(type));
    for (std::int64_t at = 0; at < hidden.size(0); at += chunk) {
      const std::int64_t rows = std::min(chunk, hidden.size(0) - at);
      const at::Tensor all =
          at::log_softmax(at::linear(hidden.narrow(0, at, rows), head), -1, type);
      result.narrow(0, at, rows)
          .copy_(all.gather(1, targets.narrow(0, at, rows).unsqueeze(1)).squeeze(1));
    }
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor& hidden = saved[0];
    const at::Tensor& head = saved[1];
    const std::int64_t chunk = context->saved_data["chunk"].toInt();
    // A head without a gradient is common: with adapters it is half of the work here.
    const bool wants_head = context->needs_input_grad(1);
    at::Tensor to_hidden = at::empty_like(hidden);
    // Over chunks in the softmax's type: half precision would lose what comes late.
    const at::ScalarType type = softmax_type(hidden);
    at::Tensor to_head =
        wants_head ? at::zeros_like(head, head.options().dtype(type)) : at::Tensor();
    for (std::int64_t at = 0; at < hidden.size(0); at += chunk) {
      const std::int64_t rows = std::min(chunk, hidden.size(0) - at);
      const at::Tensor x = hidden.narrow(0, at, rows);
      const at::Tensor upstream = gradients[0].narrow(0, at, rows).unsqueeze(1);
      // d log p(target) / d logits = onehot(target) - softmax.
      at::Tensor to_logits = at::softmax(at::linear(x, head), -1, type);
      to_logits.mul_(-upstream);
      to_logits.scatter_add_(1, saved[2].narrow(0, at, rows).unsqueeze(1), upstream);
      to_logits = to_logits.to(hidden.scalar_type());
      to_hidden.narrow(0, at, rows).copy_(at::matmul(to_logits, head));
      if (!wants_head) continue;
      if (hidden.scalar_type() == type) {
        to_head.addmm_(to_logits.t(), x);
      } else {
        to_head.add_(at::matmul(to_logits.t(), x));
      }
    }
    return {to_hidden, wants_head ? to_head.to(head.scalar_type()) : to_head, at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor token_log_probabilities(const at::Tensor& hidden, const at::Tensor& head,
                                   const at::Tensor& targets, std::int64_t chunk) {
  base::require(
      hidden.dim() == 2 && head.dim() == 2 && hidden.size(1) == head.size(1) &&
          targets.dim() == 1 && targets.size(0) == hidden.size(0) && chunk > 0,
      "token_log_probabilities: hidden [N, width], head [vocabulary, width], targets [N]");
  return TokenLogProbabilities::apply(hidden, head, targets, chunk);
}

}  // namespace tenfold::nn
