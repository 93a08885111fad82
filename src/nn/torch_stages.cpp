#include "nn/torch_stages.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

namespace tenfold::nn {

namespace {

std::vector<std::int64_t> all_but_channels(const at::Tensor& x) {
  if (x.dim() == 2) return {0};
  return {0, 2, 3};
}

// [W] beside x.
at::Tensor beside(const at::Tensor& values, const at::Tensor& x) {
  return x.dim() == 2 ? values : values.view({-1, 1, 1});
}

}  // namespace

std::vector<Stage> plan_stages(const MlpPlan& plan) {
  std::vector<Stage> stages(1);
  const auto norm = [&](int index) {
    if (index < 0) return;
    stages.emplace_back();
    stages.back().norm = index;
  };
  const auto use = [&](int entry) {
    if (entry >= 0) stages.back().entries.push_back(entry);
  };
  norm(plan.input_norm);
  for (const ConvPlan& conv : plan.convs) {
    use(conv.weight);
    use(conv.bias);
    norm(conv.norm);
  }
  for (const LayerPlan& layer : plan.layers) {
    if (layer.second > 0) stages.back().second = true;
    use(layer.weight);
    use(layer.bias);
    if (layer.layer_norm >= 0) {
      const LayerNormPlan& each = plan.layer_norms[static_cast<std::size_t>(layer.layer_norm)];
      use(each.gamma);
      use(each.beta);
    }
    norm(layer.norm);
  }
  return stages;
}

TorchNorm::TorchNorm(std::int64_t groups, std::int64_t width, const at::Device& device)
    : xhat(static_cast<std::size_t>(groups)) {
  const auto doubles = at::TensorOptions().dtype(at::kDouble).device(device);
  sums = at::zeros({groups, 2 * width}, doubles);
  total = at::zeros({2 * width}, doubles);
  mean = at::zeros({width}, doubles);
  inv_std = at::zeros({width}, doubles);
}

void norm_sums(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sums) {
  const std::int64_t width = sums.numel() / 2;
  const at::Tensor wide = a.to(at::kDouble);
  sums.narrow(0, 0, width).copy_(wide.sum(all_but_channels(a)));
  sums.narrow(0, width, width).copy_((wide * b).sum(all_but_channels(a)));
}

void norm_statistics(TorchNorm& norm, double count, double eps, double momentum,
                     const at::Tensor& running_mean, const at::Tensor& running_var, bool moves) {
  const std::int64_t width = norm.mean.numel();
  norm.mean.copy_(norm.total.narrow(0, 0, width) / count);
  const at::Tensor variance =
      (norm.total.narrow(0, width, width) / count - norm.mean * norm.mean).clamp_min(0.0);
  norm.inv_std.copy_((variance + eps).rsqrt());
  if (!moves) return;
  const double unbiased = count > 1.0 ? count / (count - 1.0) : 1.0;
  running_mean.copy_(running_mean.to(at::kDouble) * (1.0 - momentum) + norm.mean * momentum);
  running_var.copy_(running_var.to(at::kDouble) * (1.0 - momentum) +
                    variance * (unbiased * momentum));
}

void norm_running(TorchNorm& norm, double eps, const at::Tensor& running_mean,
                  const at::Tensor& running_var) {
  norm.mean.copy_(running_mean);
  norm.inv_std.copy_((running_var.to(at::kDouble) + eps).rsqrt());
}

at::Tensor norm_apply(TorchNorm& norm, std::size_t group, const at::Tensor& x,
                      const at::Tensor& gamma, const at::Tensor& beta) {
  norm.xhat[group] =
      ((x.to(at::kDouble) - beside(norm.mean, x)) * beside(norm.inv_std, x)).to(at::kFloat);
  return norm.xhat[group] * beside(gamma, x) + beside(beta, x);
}

at::Tensor norm_backward(const TorchNorm& norm, std::size_t group, const at::Tensor& dy,
                         const at::Tensor& gamma, double count) {
  const at::Tensor scale = beside(gamma.to(at::kDouble) * norm.inv_std, dy);
  if (count == 0) return (dy * scale).to(at::kFloat);
  const std::int64_t width = norm.mean.numel();
  const at::Tensor plain = beside(norm.total.narrow(0, 0, width) / count, dy);
  const at::Tensor weighted = beside(norm.total.narrow(0, width, width) / count, dy);
  return ((dy.to(at::kDouble) - plain - norm.xhat[group] * weighted) * scale).to(at::kFloat);
}

}  // namespace tenfold::nn
