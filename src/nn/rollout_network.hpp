// Networks that act step by step and learn from the rollout that they just acted through: the
// activations of acting are those that the gradient needs, so no step is computed twice.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/activation.hpp"
#include "nn/parameter_layout.hpp"

namespace tenfold::nn {

/// Convolutions, each with an activation, on pictures [height, width, channels], top row first.
struct RolloutConv {
  struct Layer {
    std::int64_t filters = 0, kernel = 3, stride = 1, padding = 0;
  };
  std::int64_t height = 0, width = 0, channels = 0;  ///< of a picture
  bool bytes = false;                                ///< uint8, divided by 255; else float32
  std::vector<Layer> layers;
  kernels::Activation activation = kernels::Activation::kRelu;
};

/// Convolutions, then fully connected layers, each with hidden_activation, then an LSTM where
/// lstm > 0, then one linear layer: all heads side by side.
struct RolloutSpec {
  std::int64_t input = 0;  ///< numbers of an observation, without convolutions
  std::optional<RolloutConv> conv;
  std::vector<std::int64_t> hidden;
  kernels::Activation hidden_activation = kernels::Activation::kRelu;
  std::int64_t lstm = 0;  ///< cells
  /// Added to the start values of the forget gates' bias. 0 halves a cell at every step; 1 or more
  /// lets it keep what it was told until gradients have found a use for it (Gers et al. 2000).
  double forget_bias = 0;
  std::int64_t output = 0;
};

/// The workspace of one network for rollouts of up to T steps of E environments. Not thread-safe.
/// Spans and tensors stay where they are for the pass's life.
class RolloutPass {
 public:
  RolloutPass() = default;
  RolloutPass(const RolloutPass&) = delete;
  RolloutPass& operator=(const RolloutPass&) = delete;
  virtual ~RolloutPass() = default;

  virtual std::int64_t steps() const = 0;  ///< T
  virtual std::int64_t rows() const = 0;   ///< E

  /// What to fill before forward(t), 0 <= t < T: float32 [E, input] or [E, height, width,
  /// channels]; empty for bytes.
  virtual std::span<float> input(std::int64_t t) = 0;
  /// uint8 [E, height, width, channels]; empty for floats.
  virtual std::span<std::uint8_t> frames(std::int64_t t) = 0;
  /// The LSTM's state before step t, 0 <= t <= T: float32 [E, 2 lstm], rows h then c; empty without
  /// one. forward(t) reads state(t) and writes state(t + 1). The caller fills state(0), and zeroes
  /// rows of state(t) where an episode began at step t.
  virtual std::span<float> state(std::int64_t t) = 0;
  /// [E] 1 where the episode of that row began at step t > 0: no gradient flows from step t into
  /// t - 1. The caller fills it before backward; zero at first.
  virtual std::span<std::uint8_t> begins(std::int64_t t) = 0;

  /// Runs step t on input(t) and state(t). parameters: float32 [flat_size], contiguous, aligned to
  /// 64 bytes. Returns output(t). A step may be run again, and steps beyond a rollout's last (to
  /// bootstrap) cost nothing later.
  virtual std::span<const float> forward(std::int64_t t, const at::Tensor& parameters) = 0;
  virtual std::span<const float> output(std::int64_t t) const = 0;  ///< [E, output]

  /// d loss / d output of step t, [E, output], to fill before backward.
  virtual std::span<float> output_gradient(std::int64_t t) = 0;
  /// The gradient of steps 0 to count - 1, through the LSTM within them (state(0) is a constant):
  /// gradient, float32 [flat_size], is overwritten, padding zeroed. Parameters are those of the
  /// forwards, whose inputs and states are as they were. Throws Code::kBug for a pass that was made
  /// without gradients.
  virtual void backward(std::int64_t count, const at::Tensor& parameters,
                        const at::Tensor& gradient) = 0;
};

/// A network without its numbers.
class RolloutNetwork {
 public:
  virtual ~RolloutNetwork() = default;
  const ParameterLayout& parameters() const { return parameters_; }
  /// As Network::initialize: uniform within each entry's bounds, +-1/sqrt(fan_in) (Torch 7's
  /// default, which the A3C paper had), in float32 [flat_size]; forget gates' bias by forget_bias
  /// more.
  void initialize(const at::Tensor& parameters, std::uint32_t seed, std::uint32_t index) const;
  /// The pass may outlive the network. Throws Code::kUsage where the engine cannot use device.
  virtual std::unique_ptr<RolloutPass> make_pass(std::int64_t steps, std::int64_t rows,
                                                 const at::Device& device,
                                                 bool gradients = true) const = 0;

 protected:
  RolloutNetwork() = default;
  ParameterLayout parameters_;
  double forget_bias_ = 0;
};

/// The engines lay parameters out alike and agree up to rounding.
enum class RolloutEngine { kFused, kTorch };
/// Weights are [in, out], those of the LSTM [in + lstm, 4 lstm] with gates i, f, g, o (one bias);
/// of convolutions [kernel, kernel, channels, filters]: rows of what goes in lie together, so that
/// inputs that are zero cost nothing and outputs fill vectors. Throws Code::kUsage, naming the
/// field, when the spec makes no network.
std::unique_ptr<RolloutNetwork> make_rollout_network(const RolloutSpec& spec, RolloutEngine engine);

}  // namespace tenfold::nn
