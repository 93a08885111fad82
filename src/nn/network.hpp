// What an algorithm knows of a network, whichever engine computes it: flat parameters, and passes
// over groups (virtual shards) of rows with explicit gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "nn/parameter_layout.hpp"

namespace tenfold::nn {

/// Makes sums over the shards of all ranks of per_shard [G, K], float64, into total [K]: see
/// train::GradientReducer::sum_statistics. Collective where shards are spread over ranks; always
/// called from the thread that called forward or backward.
using SumOverShards = std::function<void(const at::Tensor& per_shard, const at::Tensor& total)>;

enum class Mode { kTrain, kTrainFrozenStatistics, kEval };
// kTrain: batch statistics, running averages move. kTrainFrozenStatistics: batch statistics,
// running averages stay. kEval: running averages.

/// What backward() of a pass will be asked for: less needs less memory and time.
enum class Gradients { kNone, kSecondInput, kAll };

/// The workspace of one use of a network at a fixed shape: G groups of B rows. Not thread-safe.
/// Flat buffers passed to it must be contiguous float32 of the layout's flat_size, aligned to 64
/// bytes (every tensor that ATen allocates is). A group's result has the same bits whatever G is.
/// Views of the last parameters, buffers and gradients are kept: passing the same tensors again
/// costs nothing.
class NetworkPass {
 public:
  NetworkPass() = default;
  NetworkPass(const NetworkPass&) = delete;
  NetworkPass& operator=(const NetworkPass&) = delete;
  virtual ~NetworkPass() = default;

  /// The tensor to fill before forward, a view of the workspace: float32 [G, B, width], or for
  /// pictures uint8 [G, B, height, width, channels], contiguous, top row first.
  virtual const at::Tensor& input() const = 0;
  /// Likewise, float32 [G, B, width]; rows may lie apart. Undefined without a second input.
  virtual const at::Tensor& second_input() const = 0;
  /// Runs the network on input() (and second_input()). global_rows is the number of rows over all
  /// groups of all ranks (for batch statistics; 0: of this pass). Returns output(). Collective
  /// where batch statistics are.
  virtual const at::Tensor& forward(const at::Tensor& parameters, const at::Tensor& buffers,
                                    Mode mode, const SumOverShards& sum = nullptr,
                                    double global_rows = 0) = 0;
  virtual const at::Tensor& output() const = 0;  ///< [G, B, output], a view of the workspace
  /// The output before its activation, [G, B, output]; undefined where the output activation is the
  /// identity. Its mean magnitude tells how far a tanh is saturated.
  virtual const at::Tensor& preactivation() const = 0;
  /// The tensor to fill before backward: d loss / d output, [G, B, output]; overwritten by
  /// backward.
  virtual const at::Tensor& output_gradient() const = 0;
  /// Gradients for the last forward (same parameters and mode; input and parameters unchanged
  /// since). gradients: [G, flat_size] float32 with contiguous rows, overwritten (padding zeroed),
  /// or undefined when only input gradients are wanted. Collective where batch statistics are, with
  /// gradients defined or not alike on all ranks. want_second: also second_input_gradient().
  /// preactivation_weight w: the loss also has w/2 times the sum of preactivation()^2, which
  /// output_gradient() cannot say where the output's activation is saturated. Throws Code::kBug for
  /// more than the pass was made for, or before forward.
  virtual void backward(const at::Tensor& parameters, const at::Tensor& gradients, bool want_second,
                        double preactivation_weight = 0) = 0;
  virtual const at::Tensor& second_input_gradient() const = 0;  ///< [G, B, width]
};

/// A network without its numbers: where they lie, how they start, what can run it.
class Network {
 public:
  virtual ~Network() = default;
  const ParameterLayout& parameters() const { return parameters_; }
  const ParameterLayout& buffers() const { return buffers_; }  ///< running means and variances

  /// Parameters from counter-based streams (seed, kParameterInit, index), one stream per entry:
  /// uniform within each entry's bounds; buffers likewise. Flat float32 tensors, padding zeroed.
  void initialize(const at::Tensor& parameters, const at::Tensor& buffers, std::uint32_t seed,
                  std::uint32_t index) const;
  /// Per-element L2 coefficients: value on decaying parameters (hidden weights), 0 elsewhere.
  void fill_decay(const at::Tensor& l2, double value) const;

  /// The pass keeps what it needs: it may outlive the network. Throws Code::kUsage where the engine
  /// cannot use device.
  virtual std::unique_ptr<NetworkPass> make_pass(std::int64_t groups, std::int64_t rows,
                                                 const at::Device& device,
                                                 Gradients wanted = Gradients::kAll) const = 0;

 protected:
  Network() = default;
  Network(const Network&) = default;
  Network& operator=(const Network&) = default;
  void set_layouts(ParameterLayout parameters, ParameterLayout buffers);

 private:
  ParameterLayout parameters_, buffers_;
};

}  // namespace tenfold::nn
