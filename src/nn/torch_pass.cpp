#include "nn/torch_pass.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include <utility>

#include "base/error.hpp"
#include "kernels/shard_sum.hpp"
#include "nn/flat_views.hpp"
#include "nn/torch_stages.hpp"

namespace tenfold::nn {

using kernels::Activation;
using Tensors = std::vector<at::Tensor>;

struct TorchPass::State {
  State(std::shared_ptr<const MlpPlan> the_plan, std::int64_t groups, std::int64_t rows,
        const at::Device& device, Gradients the_wanted);

  std::shared_ptr<const MlpPlan> plan;
  Gradients wanted;
  std::int64_t groups;
  at::Tensor input, second_input, second_input_gradient, output, output_gradient, preactivation;
  std::vector<Stage> stages;
  std::vector<TorchNorm> norms;
  std::size_t entry_stage = 0;  ///< where the second input enters

  at::Tensor bound_parameters, bound_buffers, bound_gradients;
  std::vector<Tensors> leaves;     ///< [G] or, without gradients, [1], by entry
  Tensors buffers;                 ///< by entry
  std::vector<Tensors> gradients;  ///< [G], by entry
  Tensors gaps;                    ///< [G, n] each
  Tensors second;                  ///< [G] leaves of the last forward

  Mode mode = Mode::kEval;
  SumOverShards sum;
  double global_rows = 0;
  bool ran = false;
  double preactivation_weight = 0;
  Tensors before_activation;  ///< [G] of the last layer, as the last forward's graph has them

  // While a forward runs:
  Tensors x;              ///< [G]
  std::size_t stage = 0;  ///< that x belongs to

  std::size_t group_count() const { return static_cast<std::size_t>(groups); }
  const at::Tensor& leaf(std::size_t group, int entry) const {
    return leaves[leaves.size() == 1 ? 0 : group][static_cast<std::size_t>(entry)];
  }
  at::Tensor optional_leaf(std::size_t group, int entry) const {
    return entry < 0 ? at::Tensor() : leaf(group, entry);
  }
  /// Rows of norm x places of a picture, over all groups of all ranks.
  double count(const at::Tensor& each) const {
    return each.dim() == 2 ? global_rows
                           : global_rows * static_cast<double>(each.size(2) * each.size(3));
  }
  void total_over_groups(TorchNorm& norm) const {
    sum ? sum(norm.sums, norm.total) : kernels::ordered_sum(norm.sums, norm.total);
  }
  void make_workspace(std::int64_t rows, const at::Device& device);
  void bind_parameters(const at::Tensor& flat);
  void bind_buffers(const at::Tensor& flat);
  void bind_gradients(const at::Tensor& rows);
  void begin();
  void normalize(int index);
  void activate(Activation activation);
  void run_convolutions();
  void run_layer(std::size_t index);
  void finish();
  Tensors stage_backward(std::size_t index, const Tensors& output_gradients, bool store,
                         bool want_second, bool want_input);
  Tensors through_norm(std::size_t index, const Tensors& dy, bool store, bool want_dx);
};

TorchPass::State::State(std::shared_ptr<const MlpPlan> the_plan, std::int64_t the_groups,
                        std::int64_t rows, const at::Device& device, Gradients the_wanted)
    : plan(std::move(the_plan)),
      wanted(the_wanted),
      groups(the_groups),
      stages(plan_stages(*plan)) {
  base::require(groups > 0 && rows > 0, "TorchPass: groups and rows must be positive");
  for (std::size_t k = 0; k < stages.size(); ++k) {
    if (stages[k].second) entry_stage = k;
  }
  for (const NormPlan& norm : plan->norms) norms.emplace_back(groups, norm.width, device);
  make_workspace(rows, device);
}

void TorchPass::State::make_workspace(std::int64_t rows, const at::Device& device) {
  const MlpSpec& mlp = plan->spec.mlp;
  if (plan->spec.conv) {
    const ConvSpec& conv = *plan->spec.conv;
    input = at::zeros({groups, rows, conv.height, conv.width, conv.channels},
                      at::TensorOptions().dtype(at::kByte).device(device));
  } else {
    input = group_rows(groups, rows, mlp.input, device);
  }
  if (mlp.second_input > 0) {
    second_input = group_rows(groups, rows, mlp.second_input, device);
    second_input_gradient = group_rows(groups, rows, mlp.second_input, device);
  }
  output = group_rows(groups, rows, mlp.output, device);
  output_gradient = group_rows(groups, rows, mlp.output, device);
  if (mlp.output_activation != Activation::kIdentity) {
    preactivation = group_rows(groups, rows, mlp.output, device);
  }
}

// Leaves of one group's own: autograd adds up what reaches one leaf, and gradients are per group.
void TorchPass::State::bind_parameters(const at::Tensor& flat) {
  if (is_bound(bound_parameters, flat)) return;
  check_flat(flat, plan->parameters, input.device());
  bound_parameters = flat;
  const bool learns = wanted == Gradients::kAll;
  leaves.assign(learns ? group_count() : 1, {});
  for (Tensors& group : leaves) {
    for (std::size_t e = 0; e < plan->parameters.entries().size(); ++e) {
      group.push_back(
          entry_view(plan->parameters, static_cast<int>(e), flat).detach().requires_grad_(learns));
    }
  }
}

void TorchPass::State::bind_buffers(const at::Tensor& flat) {
  if (norms.empty() || is_bound(bound_buffers, flat)) return;
  check_flat(flat, plan->buffers, input.device());
  bound_buffers = flat;
  buffers.clear();
  for (std::size_t e = 0; e < plan->buffers.entries().size(); ++e) {
    buffers.push_back(entry_view(plan->buffers, static_cast<int>(e), flat));
  }
}

void TorchPass::State::bind_gradients(const at::Tensor& rows) {
  if (is_bound(bound_gradients, rows)) return;
  check_gradients(rows, plan->parameters, groups);
  bound_gradients = rows;
  gradients.assign(group_count(), {});
  for (std::int64_t g = 0; g < groups; ++g) {
    for (std::size_t e = 0; e < plan->parameters.entries().size(); ++e) {
      gradients[static_cast<std::size_t>(g)].push_back(
          entry_view(plan->parameters, static_cast<int>(e), rows.select(0, g)));
    }
  }
  gaps.clear();
  const std::vector<std::int64_t> ranges = padding_ranges(plan->parameters);
  for (std::size_t i = 0; i < ranges.size(); i += 2) {
    gaps.push_back(rows.narrow(1, ranges[i], ranges[i + 1] - ranges[i]));
  }
}

void TorchPass::State::begin() {
  for (Stage& each : stages) {
    each.input.assign(group_count(), {});
    each.output.assign(group_count(), {});
  }
  stage = 0;
  x.assign(group_count(), {});
  second.assign(group_count(), {});
  for (std::int64_t g = 0; g < groups; ++g) {
    const auto at = static_cast<std::size_t>(g);
    x[at] = input.select(0, g);
    // Channels last in memory, channels first by name: nothing moves.
    if (plan->spec.conv) x[at] = x[at].to(at::kFloat).div_(255.0).permute({0, 3, 1, 2});
    if (second_input.defined()) {
      second[at] = second_input.select(0, g).detach().requires_grad_(wanted != Gradients::kNone);
    }
  }
}

void TorchPass::State::normalize(int index) {
  if (index < 0) return;
  const at::NoGradGuard no_graph;
  const auto at = static_cast<std::size_t>(index);
  const NormPlan& shape = plan->norms[at];
  const at::Tensor& running_mean = buffers[static_cast<std::size_t>(shape.running_mean)];
  const at::Tensor& running_var = buffers[static_cast<std::size_t>(shape.running_var)];
  const MlpSpec& spec = plan->spec.mlp;
  TorchNorm& norm = norms[at];
  if (mode == Mode::kEval) {
    norm_running(norm, spec.batch_norm_eps, running_mean, running_var);
  } else {
    for (std::size_t g = 0; g < group_count(); ++g) {
      norm_sums(x[g], x[g], norm.sums.select(0, static_cast<std::int64_t>(g)));
    }
    total_over_groups(norm);
    norm_statistics(norm, count(x[0]), spec.batch_norm_eps, spec.batch_norm_momentum, running_mean,
                    running_var, mode == Mode::kTrain);
  }
  // Below the second input nothing has a gradient that only it is asked for.
  const bool graph =
      wanted == Gradients::kAll || (wanted == Gradients::kSecondInput && entry_stage <= stage);
  stages[stage].output = std::exchange(x, Tensors(group_count()));
  ++stage;
  for (std::size_t g = 0; g < group_count(); ++g) {
    const at::Tensor y =
        norm_apply(norm, g, stages[stage - 1].output[g], leaf(g, shape.gamma), leaf(g, shape.beta));
    stages[stage].input[g] = y.detach().requires_grad_(graph);
    x[g] = stages[stage].input[g];
  }
}

void TorchPass::State::activate(Activation activation) {
  for (at::Tensor& each : x) {
    if (activation == Activation::kRelu) {
      each = at::relu(each);
    } else if (activation == Activation::kTanh) {
      each = at::tanh(each);
    }
  }
}

void TorchPass::State::run_convolutions() {
  if (!plan->spec.conv) return;
  const ConvSpec& spec = *plan->spec.conv;
  for (const ConvPlan& conv : plan->convs) {
    for (std::size_t g = 0; g < group_count(); ++g) {
      // Weights lie channels last, too.
      x[g] = at::conv2d(x[g], leaf(g, conv.weight).permute({0, 3, 1, 2}),
                        optional_leaf(g, conv.bias), spec.stride, spec.padding);
    }
    normalize(conv.norm);
    activate(Activation::kRelu);
  }
  for (at::Tensor& each : x) each = each.permute({0, 2, 3, 1}).flatten(1);
}

void TorchPass::State::run_layer(std::size_t index) {
  const LayerPlan& layer = plan->layers[index];
  for (std::size_t g = 0; g < group_count(); ++g) {
    if (layer.second > 0) x[g] = at::cat({x[g], second[g]}, 1);
    x[g] = at::linear(x[g], leaf(g, layer.weight), optional_leaf(g, layer.bias));
    if (layer.layer_norm >= 0) {
      const LayerNormPlan& norm = plan->layer_norms[static_cast<std::size_t>(layer.layer_norm)];
      x[g] = at::layer_norm(x[g], {norm.width}, leaf(g, norm.gamma), leaf(g, norm.beta),
                            plan->spec.mlp.layer_norm_eps);
    }
  }
  normalize(layer.norm);
  if (index + 1 == plan->layers.size() && preactivation.defined()) {
    const at::NoGradGuard no_graph;
    for (std::int64_t g = 0; g < groups; ++g) {
      preactivation.select(0, g).copy_(x[static_cast<std::size_t>(g)]);
    }
    before_activation = x;
  }
  activate(layer.activation);
}

void TorchPass::State::finish() {
  const at::NoGradGuard no_graph;
  for (std::int64_t g = 0; g < groups; ++g) {
    output.select(0, g).copy_(x[static_cast<std::size_t>(g)]);
  }
  stages[stage].output = std::exchange(x, {});
  ran = true;
}

/// Gradients of the stage's parameters go into their rows, of the second input into its tensor; of
/// the stage's input they are returned.
Tensors TorchPass::State::stage_backward(std::size_t index, const Tensors& output_gradients,
                                         bool store, bool want_second, bool want_input) {
  const Stage& of = stages[index];
  Tensors leaves_asked, into;
  for (std::size_t g = 0; g < group_count(); ++g) {
    if (store) {
      for (const int entry : of.entries) {
        leaves_asked.push_back(leaf(g, entry));
        into.push_back(gradients[g][static_cast<std::size_t>(entry)]);
      }
    }
    if (want_second && of.second) {
      leaves_asked.push_back(second[g]);
      into.push_back(second_input_gradient.select(0, static_cast<std::int64_t>(g)));
    }
  }
  const std::size_t kept = into.size();
  if (want_input) leaves_asked.insert(leaves_asked.end(), of.input.begin(), of.input.end());
  Tensors outputs = of.output, slopes = output_gradients;
  if (index + 1 == stages.size() && preactivation_weight != 0) {
    for (std::size_t g = 0; g < group_count(); ++g) {
      outputs.push_back(before_activation[g]);
      slopes.push_back(
          preactivation.select(0, static_cast<std::int64_t>(g)).mul(preactivation_weight));
    }
  }
  // The graph stays: backward may be called again, for something else.
  Tensors found = torch::autograd::grad(outputs, leaves_asked, slopes, true);
  const at::NoGradGuard no_graph;
  for (std::size_t i = 0; i < kept; ++i) into[i].copy_(found[i]);
  return {found.begin() + static_cast<std::ptrdiff_t>(kept), found.end()};
}

Tensors TorchPass::State::through_norm(std::size_t index, const Tensors& dy, bool store,
                                       bool want_dx) {
  const at::NoGradGuard no_graph;
  const auto at = static_cast<std::size_t>(stages[index].norm);
  const NormPlan& shape = plan->norms[at];
  TorchNorm& norm = norms[at];
  const bool batch_statistics = mode != Mode::kEval;
  if (store || (want_dx && batch_statistics)) {
    for (std::size_t g = 0; g < group_count(); ++g) {
      const at::Tensor sums = norm.sums.select(0, static_cast<std::int64_t>(g));
      norm_sums(dy[g], norm.xhat[g], sums);
      if (!store) continue;
      gradients[g][static_cast<std::size_t>(shape.beta)].copy_(sums.narrow(0, 0, shape.width));
      gradients[g][static_cast<std::size_t>(shape.gamma)].copy_(
          sums.narrow(0, shape.width, shape.width));
    }
  }
  Tensors dx;
  if (!want_dx) return dx;
  if (batch_statistics) total_over_groups(norm);
  for (std::size_t g = 0; g < group_count(); ++g) {
    dx.push_back(
        norm_backward(norm, g, dy[g], leaf(g, shape.gamma), batch_statistics ? count(dy[g]) : 0.0));
  }
  return dx;
}

TorchPass::TorchPass(std::shared_ptr<const MlpPlan> plan, std::int64_t groups, std::int64_t rows,
                     const at::Device& device, Gradients wanted)
    : state_(std::make_unique<State>(std::move(plan), groups, rows, device, wanted)) {}
TorchPass::~TorchPass() = default;

const at::Tensor& TorchPass::input() const {
  return state_->input;
}
const at::Tensor& TorchPass::second_input() const {
  return state_->second_input;
}
const at::Tensor& TorchPass::output() const {
  return state_->output;
}
const at::Tensor& TorchPass::preactivation() const {
  return state_->preactivation;
}
const at::Tensor& TorchPass::output_gradient() const {
  return state_->output_gradient;
}
const at::Tensor& TorchPass::second_input_gradient() const {
  return state_->second_input_gradient;
}

const at::Tensor& TorchPass::forward(const at::Tensor& parameters, const at::Tensor& buffers,
                                     Mode mode, const SumOverShards& sum, double global_rows) {
  State& state = *state_;
  const at::AutoGradMode graph(state.wanted != Gradients::kNone);
  state.bind_parameters(parameters);
  state.bind_buffers(buffers);
  state.mode = mode;
  state.sum = sum;
  state.global_rows =
      global_rows > 0 ? global_rows : static_cast<double>(state.groups * state.input.size(1));
  state.begin();
  state.normalize(state.plan->input_norm);
  state.run_convolutions();
  for (std::size_t l = 0; l < state.plan->layers.size(); ++l) state.run_layer(l);
  state.finish();
  return state.output;
}

void TorchPass::backward(const at::Tensor& parameters, const at::Tensor& gradients,
                         bool want_second, double preactivation_weight) {
  State& state = *state_;
  const bool store = gradients.defined();
  base::require(state.ran, "TorchPass::backward before forward");
  base::require(is_bound(state.bound_parameters, parameters),
                "TorchPass::backward with other parameters than forward's");
  base::require(!want_second || state.second_input.defined(),
                "TorchPass::backward: this network has no second input");
  base::require((!store || state.wanted == Gradients::kAll) &&
                    (!want_second || state.wanted != Gradients::kNone),
                "TorchPass::backward for more than the pass was made for");
  base::require(preactivation_weight == 0 || state.preactivation.defined(),
                "TorchPass::backward: this network's output is its preactivation");
  state.preactivation_weight = preactivation_weight;
  if (!store && !want_second) return;
  if (store) {
    state.bind_gradients(gradients);
    for (const at::Tensor& gap : state.gaps) gap.zero_();
  }
  Tensors dy;
  for (std::int64_t g = 0; g < state.groups; ++g) {
    dy.push_back(state.output_gradient.select(0, g));
  }
  const bool input_norm = state.plan->input_norm >= 0;
  const std::size_t lowest = store ? (input_norm ? 1 : 0) : state.entry_stage;
  for (std::size_t k = state.stages.size(); k-- > lowest;) {
    // Behind the input norm there is nothing left but its own gamma and beta.
    const bool further = k > lowest;
    const bool normed = state.stages[k].norm >= 0 && (further || store);
    dy = state.stage_backward(k, dy, store, want_second, normed);
    if (normed) dy = state.through_norm(k, dy, store, further);
  }
}

}  // namespace tenfold::nn
