#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include <utility>

#include "base/error.hpp"
#include "kernels/convolution.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels/shard_sum.hpp"
#include "nn/mlp_workspace.hpp"

namespace tenfold::nn {

struct MlpPass::State {
  State(std::shared_ptr<const MlpPlan> the_plan, std::int64_t shards, std::int64_t rows,
        const at::Device& device, Gradients the_wanted)
      : owned(std::move(the_plan)),
        plan(*owned),
        spec(plan.spec.mlp),
        wanted(the_wanted),
        work(plan, shards, rows, device, wanted) {}

  std::shared_ptr<const MlpPlan> owned;
  const MlpPlan& plan;
  const MlpSpec& spec;
  Gradients wanted;
  Workspace work;
  ParameterViews parameters;
  BufferViews buffers;
  GradientViews gradients;

  Mode mode = Mode::kEval;
  SumOverShards sum;
  double global_rows = 0;
  double preactivation_weight = 0;
  bool ran = false;

  void total_over_shards(const at::Tensor& per_shard, const at::Tensor& total) const {
    sum ? sum(per_shard, total) : kernels::ordered_sum(per_shard, total);
  }
  void normalize(std::size_t index, const at::Tensor& x, const at::Tensor& y);
  void norm_backward(std::size_t index, const at::Tensor& dy, bool want_dx, bool store);
  void layer_norm_backward(std::size_t index, const at::Tensor& dy, bool store);
  void input_forward();
  void conv_forward(std::size_t index);
  void conv_backward(std::size_t index, bool want_below);
  double count(std::size_t norm) const {
    return global_rows * static_cast<double>(plan.norms[norm].places);
  }
  void layer_forward(std::size_t index);
  void layer_backward(std::size_t index, bool store, bool want_first, bool want_second);
};

void MlpPass::State::normalize(std::size_t index, const at::Tensor& x, const at::Tensor& y) {
  NormWork& norm = work.norms[index];
  const BufferViews::Norm& running = buffers.norms[index];
  if (mode == Mode::kEval) {
    kernels::batch_norm_running(running.mean, running.var, spec.batch_norm_eps, norm.mean,
                                norm.inv_std);
  } else {
    kernels::batch_norm_sums(x, norm.sums);
    total_over_shards(norm.sums, norm.total);
    const bool moves = mode == Mode::kTrain;
    kernels::batch_norm_statistics(
        norm.total, count(index), spec.batch_norm_eps, spec.batch_norm_momentum, norm.mean,
        norm.inv_std, moves ? running.mean : at::Tensor(), moves ? running.var : at::Tensor());
  }
  kernels::batch_norm_apply(x, norm.mean, norm.inv_std, parameters.norms[index].gamma,
                            parameters.norms[index].beta, norm.xhat, y);
}

// In place on dy. The sums that become gradients of gamma and beta stay per shard; those inside the
// gradient through the batch statistics run over the whole batch.
void MlpPass::State::norm_backward(std::size_t index, const at::Tensor& dy, bool want_dx,
                                   bool store) {
  NormWork& norm = work.norms[index];
  const bool batch_statistics = mode != Mode::kEval;
  if (store || (want_dx && batch_statistics)) {
    kernels::batch_norm_backward_sums(dy, norm.xhat, norm.sums);
  }
  if (store) {
    gradients.norms[index].beta.copy_(norm.sums_plain);
    gradients.norms[index].gamma.copy_(norm.sums_weighted);
  }
  if (!want_dx) return;
  if (batch_statistics) total_over_shards(norm.sums, norm.total);
  kernels::batch_norm_backward(dy, norm.xhat, parameters.norms[index].gamma, norm.inv_std,
                               norm.total, batch_statistics ? count(index) : 0.0, dy);
}

// In place on dy; the sums stay per shard, where they are gradients.
void MlpPass::State::layer_norm_backward(std::size_t index, const at::Tensor& dy, bool store) {
  LayerNormWork& norm = work.layer_norms[index];
  if (store) {
    kernels::batch_norm_backward_sums(dy, norm.xhat, norm.sums);
    gradients.layer_norms[index].beta.copy_(norm.sums_plain);
    gradients.layer_norms[index].gamma.copy_(norm.sums_weighted);
  }
  kernels::layer_norm_backward(dy, norm.xhat, parameters.layer_norms[index].gamma, norm.inv_std);
}

void MlpPass::State::input_forward() {
  if (plan.input_norm >= 0) {
    for (std::size_t s = 0; s < work.bytes_s.size(); ++s) {
      kernels::scale_bytes(work.bytes_s[s], work.scaled_s[s]);
    }
    normalize(static_cast<std::size_t>(plan.input_norm),
              plan.convs.empty() ? work.input : work.scaled, work.normalized_input);
  }
  for (std::size_t i = 0; i < plan.convs.size(); ++i) conv_forward(i);
  if (!plan.convs.empty()) work.first.copy_(work.convs.back().y_rows);
}

void MlpPass::State::conv_forward(std::size_t index) {
  const ConvWork& conv = work.convs[index];
  const ConvPlan& shape = plan.convs[index];
  const ParameterViews::Conv& parameter = parameters.convs[index];
  for (const auto& shard : conv.tiles) {
    for (ConvWork::Tile tile : shard) {
      kernels::gather_patches(tile.source, shape.geometry, tile.patches);
      at::mm_out(tile.y, tile.patches, parameter.weight_t);
    }
  }
  if (shape.norm >= 0) normalize(static_cast<std::size_t>(shape.norm), conv.y, conv.y);
  kernels::bias_activation(conv.y, parameter.bias, kernels::Activation::kRelu);
}

void MlpPass::State::conv_backward(std::size_t index, bool want_below) {
  const ConvWork& conv = work.convs[index];
  const ConvPlan& shape = plan.convs[index];
  GradientViews::Layer& gradient = gradients.convs[index];
  kernels::activation_backward(conv.dy, conv.y, kernels::Activation::kRelu);
  if (shape.norm >= 0) norm_backward(static_cast<std::size_t>(shape.norm), conv.dy, true, true);
  if (shape.bias >= 0) kernels::bias_gradient(conv.dy, gradient.bias);
  for (std::size_t s = 0; s < conv.tiles.size(); ++s) {
    at::Tensor& weight = gradient.weight_s[s];
    bool first = true;
    for (ConvWork::Tile tile : conv.tiles[s]) {
      kernels::gather_patches(tile.source, shape.geometry, tile.patches);
      if (std::exchange(first, false)) {
        at::mm_out(weight, tile.dy_t, tile.patches);
      } else {
        at::addmm_out(weight, weight, tile.dy_t, tile.patches);
      }
      if (!want_below) continue;
      at::mm_out(tile.patches_gradient, tile.dy, parameters.convs[index].weight);
      kernels::add_patches(tile.patches_gradient, shape.geometry, tile.source_gradient);
    }
  }
}

void MlpPass::State::layer_forward(std::size_t index) {
  LayerWork& layer = work.layers[index];
  const LayerPlan& shape = plan.layers[index];
  const ParameterViews::Layer& parameter = parameters.layers[index];
  for (std::size_t s = 0; s < layer.y_s.size(); ++s) {
    at::mm_out(layer.y_s[s], layer.x_s[s], parameter.weight_t);
  }
  if (shape.layer_norm >= 0) {
    const auto norm = static_cast<std::size_t>(shape.layer_norm);
    kernels::layer_norm_activation(layer.y, parameter.bias, parameters.layer_norms[norm].gamma,
                                   parameters.layer_norms[norm].beta, spec.layer_norm_eps,
                                   shape.activation, work.layer_norms[norm].xhat,
                                   work.layer_norms[norm].inv_std);
    return;
  }
  if (shape.norm >= 0) normalize(static_cast<std::size_t>(shape.norm), layer.y, layer.y);
  if (index + 1 == plan.layers.size() && work.preactivation.defined()) {
    kernels::bias_activation_keep(layer.y, parameter.bias, shape.activation, work.preactivation);
  } else if (parameter.bias.defined() || shape.activation != kernels::Activation::kIdentity) {
    kernels::bias_activation(layer.y, parameter.bias, shape.activation);
  }
}

void MlpPass::State::layer_backward(std::size_t index, bool store, bool want_first,
                                    bool want_second) {
  LayerWork& layer = work.layers[index];
  const LayerPlan& shape = plan.layers[index];
  kernels::activation_backward(layer.dy, layer.y, shape.activation);
  if (index + 1 == plan.layers.size() && preactivation_weight != 0) {
    kernels::add_scaled(layer.dy, work.preactivation, preactivation_weight);
  }
  if (shape.norm >= 0) norm_backward(static_cast<std::size_t>(shape.norm), layer.dy, true, store);
  if (shape.layer_norm >= 0) {
    layer_norm_backward(static_cast<std::size_t>(shape.layer_norm), layer.dy, store);
  }
  if (store) {
    GradientViews::Layer& gradient = gradients.layers[index];
    for (std::size_t s = 0; s < layer.dy_s.size(); ++s) {
      at::mm_out(gradient.weight_s[s], layer.dy_t_s[s], layer.x_s[s]);
    }
    if (shape.bias >= 0) kernels::bias_gradient(layer.dy, gradient.bias);
  }
  if (!want_first && !want_second) return;
  const ParameterViews::Layer& parameter = parameters.layers[index];
  const bool both = want_first && want_second;
  std::vector<at::Tensor>& dx = both         ? layer.dx_s
                                : want_first ? layer.dx_first_s
                                             : layer.dx_second_s;
  const at::Tensor& weight = both         ? parameter.weight
                             : want_first ? parameter.weight_first
                                          : parameter.weight_second;
  for (std::size_t s = 0; s < dx.size(); ++s) at::mm_out(dx[s], layer.dy_s[s], weight);
}

MlpPass::MlpPass(const Mlp& mlp, std::int64_t shards, std::int64_t rows, const at::Device& device,
                 Gradients wanted)
    : state_(std::make_unique<State>(mlp.plan_, shards, rows, device, wanted)) {}
MlpPass::~MlpPass() = default;

const at::Tensor& MlpPass::input() const {
  return state_->work.input;
}
const at::Tensor& MlpPass::second_input() const {
  return state_->work.second_input;
}
const at::Tensor& MlpPass::output() const {
  return state_->work.layers.back().y;
}
const at::Tensor& MlpPass::preactivation() const {
  return state_->work.preactivation;
}
const at::Tensor& MlpPass::output_gradient() const {
  return state_->work.layers.back().dy;
}
const at::Tensor& MlpPass::second_input_gradient() const {
  return state_->work.second_input_gradient;
}

const at::Tensor& MlpPass::forward(const at::Tensor& parameters, const at::Tensor& buffers,
                                   Mode mode, const SumOverShards& sum, double global_rows) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  State& state = *state_;
  state.parameters.bind(state.plan, parameters);
  if (!state.plan.norms.empty()) state.buffers.bind(state.plan, buffers);
  state.mode = mode;
  state.sum = sum;
  const at::Tensor& input = state.work.input;
  state.global_rows =
      global_rows > 0 ? global_rows : static_cast<double>(input.size(0) * input.size(1));
  state.input_forward();
  for (std::size_t l = 0; l < state.plan.layers.size(); ++l) state.layer_forward(l);
  state.ran = true;
  return output();
}

void MlpPass::backward(const at::Tensor& parameters, const at::Tensor& gradients, bool want_second,
                       double preactivation_weight) {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  State& state = *state_;
  base::require(state.ran, "MlpPass::backward before forward");
  state.parameters.bind(state.plan, parameters);
  const bool store = gradients.defined();
  base::require((!store || state.wanted == Gradients::kAll) &&
                    (!want_second || state.wanted != Gradients::kNone),
                "MlpPass::backward for more than the pass was made for");
  if (store) {
    state.gradients.bind(state.plan, gradients, state.work.input.size(0));
    if (state.gradients.gaps.defined()) kernels::zero_ranges(gradients, state.gradients.gaps);
  }
  base::require(!want_second || state.spec.second_input > 0,
                "MlpPass::backward: this network has no second input");
  base::require(preactivation_weight == 0 || state.work.preactivation.defined(),
                "MlpPass::backward: this network's output is its preactivation");
  state.preactivation_weight = preactivation_weight;
  if (!store && !want_second) return;
  const auto entry = static_cast<std::size_t>(state.spec.second_layer - 1);
  const std::size_t lowest = store ? 0 : entry;
  const bool input_norm = state.plan.input_norm >= 0;
  const bool convs = !state.plan.convs.empty();
  for (std::size_t l = state.plan.layers.size(); l-- > lowest;) {
    const bool want_first = l > lowest || (l == 0 && store && (input_norm || convs));
    state.layer_backward(l, store, want_first, want_second && l == entry);
  }
  if (store && convs) {
    state.work.convs.back().dy_rows.copy_(state.work.first_gradient);
    for (std::size_t i = state.plan.convs.size(); i-- > 0;) {
      state.conv_backward(i, i > 0 || input_norm);
    }
  }
  if (store && input_norm) {
    state.norm_backward(static_cast<std::size_t>(state.plan.input_norm),
                        state.work.normalized_input_gradient, false, true);
  }
}

}  // namespace tenfold::nn
