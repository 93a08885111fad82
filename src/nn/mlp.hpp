// Multilayer perceptrons with explicit forward and backward passes over flat parameters and a
// leading virtual-shard dimension: no autograd graph, no allocation per call, gradients per shard.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kernels/dense_layer.hpp"
#include "nn/parameter_layout.hpp"

namespace tenfold::nn {

struct MlpSpec {
  std::int64_t input = 0;
  std::vector<std::int64_t> hidden;  ///< {400, 300}
  std::int64_t output = 0;
  /// A second input (the action of a critic) of this width, concatenated behind the input of layer
  /// second_layer (1 = first layer, 2 = the paper's).
  std::int64_t second_input = 0;
  std::int64_t second_layer = 1;
  kernels::Activation hidden_activation = kernels::Activation::kRelu;
  kernels::Activation output_activation = kernels::Activation::kIdentity;
  /// Normalise the (first) input and the pre-activations of the first batch_norm_hidden hidden
  /// layers.
  bool batch_norm_input = false;
  std::int64_t batch_norm_hidden = 0;
  double batch_norm_eps = 1e-5;
  double batch_norm_momentum = 0.1;
  /// Last layer's weights and biases start in U(-bound, bound); 0: 1/sqrt(fan_in) as everywhere
  /// else.
  double final_init_bound = 0;
};

/// Makes sums over the shards of all ranks of per_shard [S, K], float64, into total [K]: see
/// train::GradientReducer::sum_statistics. Collective where S is spread over ranks.
using SumOverShards = std::function<void(const at::Tensor& per_shard, const at::Tensor& total)>;

enum class Mode { kTrain, kTrainFrozenStatistics, kEval };
// kTrain: batch statistics, running averages move. kTrainFrozenStatistics: batch statistics,
// running averages stay. kEval: running averages.

class Mlp {
 public:
  explicit Mlp(MlpSpec spec);
  const MlpSpec& spec() const { return spec_; }
  const ParameterLayout& parameters() const { return parameters_; }
  const ParameterLayout& buffers() const { return buffers_; }  ///< running means and variances
  /// Parameters from counter-based streams (seed, kParameterInit, index): U(+-1/sqrt(fan_in)), last
  /// layer as the spec says, gamma 1, beta 0; running mean 0, variance 1. Flat float32 tensors.
  void initialize(const at::Tensor& parameters, const at::Tensor& buffers, std::uint32_t seed,
                  std::uint32_t index) const;
  /// Per-element L2 coefficients: value on decaying parameters (hidden weights), 0 elsewhere.
  void fill_decay(const at::Tensor& l2, double value) const;

 private:
  MlpSpec spec_;
  ParameterLayout parameters_, buffers_;
};

/// The workspace of one use of a network at a fixed shape: S shards of B rows. Not thread-safe.
/// Flat buffers passed to it must be contiguous float32 of the layout's flat_size, aligned to 64
/// bytes (every tensor that ATen allocates is). A shard's result has the same bits whatever S is.
/// Views of the last parameters, buffers and gradients are kept: passing the same tensors again
/// costs nothing.
class MlpPass {
 public:
  MlpPass(const Mlp& mlp, std::int64_t shards, std::int64_t rows, const at::Device& device);
  ~MlpPass();
  MlpPass(MlpPass&&) noexcept;

  /// The tensors to fill before forward: views of the workspace, float32 [S, B, width].
  const at::Tensor& input() const;
  const at::Tensor& second_input() const;
  /// Runs the network on input() (and second_input()). global_rows is the number of rows over all
  /// shards of all ranks (for batch statistics). Returns the output [S, B, output], a workspace
  /// view.
  const at::Tensor& forward(const at::Tensor& parameters, const at::Tensor& buffers, Mode mode,
                            const SumOverShards& sum = nullptr, double global_rows = 0);
  const at::Tensor& output() const;
  /// The output before its activation, [S, B, output]; undefined where the output activation is the
  /// identity. Its mean magnitude tells how far a tanh is saturated.
  const at::Tensor& preactivation() const;
  /// The tensor to fill before backward: d loss / d output, [S, B, output]; overwritten by
  /// backward.
  const at::Tensor& output_gradient() const;
  /// Gradients for the last forward (same parameters and mode). gradients: [S, flat_size] float32
  /// with contiguous rows, overwritten (padding zeroed), or undefined when only input gradients are
  /// wanted. Collective where batch statistics are, with gradients defined or not alike on all
  /// ranks. want_second: also second_input_gradient() [S, B, second_input].
  void backward(const at::Tensor& parameters, const at::Tensor& gradients, bool want_second);
  const at::Tensor& second_input_gradient() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenfold::nn
