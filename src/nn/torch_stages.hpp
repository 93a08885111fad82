// A TorchNetwork between its batch norms: chains of operators, one per group, that autograd goes
// back through one stage at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "nn/mlp_plan.hpp"

namespace tenfold::nn {

// Batch statistics need sums over groups and ranks, forward and backward. No autograd graph crosses
// them: a stage's output is cut off, normalised, and becomes the leaf that the next one starts
// from.

struct Stage {
  int norm = -1;             ///< the batch norm in front of it, index into MlpPlan::norms
  std::vector<int> entries;  ///< parameters that it uses
  bool second = false;       ///< the second input enters here
  /// [G]; input: the leaf behind the norm, undefined without one. With a graph where gradients are
  /// wanted.
  std::vector<at::Tensor> input, output;
};
std::vector<Stage> plan_stages(const MlpPlan& plan);

/// What one batch norm keeps between forward and backward.
struct TorchNorm {
  TorchNorm(std::int64_t groups, std::int64_t width, const at::Device& device);
  std::vector<at::Tensor> xhat;  ///< [G] like the input
  at::Tensor sums, total;        ///< float64 [G, 2W], [2W]
  at::Tensor mean, inv_std;      ///< float64 [W]
};

// Of x, [B, W] or [B, W, height, width]; the sums run over all but W. Without autograd.

/// sums[0:W] = sum of a, sums[W:2W] = sum of a * b, in float64.
void norm_sums(const at::Tensor& a, const at::Tensor& b, const at::Tensor& sums);
/// mean and inv_std from total over count places; running averages move as BatchNorm1d's do.
void norm_statistics(TorchNorm& norm, double count, double eps, double momentum,
                     const at::Tensor& running_mean, const at::Tensor& running_var, bool moves);
/// mean and inv_std from running averages.
void norm_running(TorchNorm& norm, double eps, const at::Tensor& running_mean,
                  const at::Tensor& running_var);
/// Keeps xhat of group; returns gamma * xhat + beta.
at::Tensor norm_apply(TorchNorm& norm, std::size_t group, const at::Tensor& x,
                      const at::Tensor& gamma, const at::Tensor& beta);
/// The gradient of x through the batch statistics; count 0: through running averages.
at::Tensor norm_backward(const TorchNorm& norm, std::size_t group, const at::Tensor& dy,
                         const at::Tensor& gamma, double count);

}  // namespace tenfold::nn
