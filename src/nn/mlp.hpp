// Multilayer perceptrons, with or without convolutions below them, on the fused engine.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/dense_layer.hpp"
#include "nn/network.hpp"

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
  /// Layer norm (Ba et al. 2016) on the pre-activations of the first layer_norm_hidden hidden
  /// layers, none of them with batch norm as well.
  std::int64_t layer_norm_hidden = 0;
  double layer_norm_eps = 1e-5;
  /// Last layer's weights and biases start in U(-bound, bound); 0: 1/sqrt(fan_in) as everywhere
  /// else.
  double final_init_bound = 0;
};

/// Convolutions, each with a ReLU, on pictures divided by 255.
struct ConvSpec {
  std::int64_t height = 0, width = 0, channels = 0;  ///< of a picture, uint8
  std::vector<std::int64_t> filters;                 ///< {32, 32, 32}
  std::int64_t kernel = 3, stride = 2, padding = 1;
  /// Batch norm per channel, over rows and places, on the pre-activations of all convolutions.
  bool batch_norm = false;
};

/// What either engine makes a network of.
struct NetworkSpec {
  NetworkSpec(MlpSpec layers, std::optional<ConvSpec> convolutions = std::nullopt)  // NOLINT
      : mlp(std::move(layers)), conv(std::move(convolutions)) {}
  /// The fully connected layers. With pictures, input is found from the convolutions, whose output
  /// is flattened as [height, width, filters], and batch_norm_input is per channel of the picture.
  MlpSpec mlp;
  std::optional<ConvSpec> conv;
};

struct MlpPlan;

/// The fused engine: hand-written passes, one matrix product per layer and group (a few, for
/// convolutions), everything around it our own kernels; no autograd graph, no allocation per call.
class Mlp final : public Network {
 public:
  /// Parameters start in U(+-1/sqrt(fan_in)), the last layer as the spec says, gamma 1, beta 0;
  /// running mean 0, variance 1. Weights are [out, in], those of convolutions [filters, kernel,
  /// kernel, channels]. Throws Code::kUsage when the spec makes no network.
  explicit Mlp(const NetworkSpec& spec);
  std::unique_ptr<NetworkPass> make_pass(std::int64_t groups, std::int64_t rows,
                                         const at::Device& device,
                                         Gradients wanted = Gradients::kAll) const override;

 private:
  friend class MlpPass;
  std::shared_ptr<const MlpPlan> plan_;
};

class MlpPass final : public NetworkPass {
 public:
  MlpPass(const Mlp& mlp, std::int64_t shards, std::int64_t rows, const at::Device& device,
          Gradients wanted = Gradients::kAll);
  ~MlpPass() override;

  const at::Tensor& input() const override;
  const at::Tensor& second_input() const override;
  const at::Tensor& forward(const at::Tensor& parameters, const at::Tensor& buffers, Mode mode,
                            const SumOverShards& sum = nullptr, double global_rows = 0) override;
  const at::Tensor& output() const override;
  const at::Tensor& preactivation() const override;
  const at::Tensor& output_gradient() const override;
  void backward(const at::Tensor& parameters, const at::Tensor& gradients, bool want_second,
                double preactivation_weight = 0) override;
  const at::Tensor& second_input_gradient() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenfold::nn
