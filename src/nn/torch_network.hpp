// Networks on LibTorch's operators and autograd: every multilayer perceptron that the fused engine
// knows, and convolutions below it for pictures.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "nn/mlp.hpp"

namespace tenfold::nn {

/// Convolutions, each with a ReLU, on pictures divided by 255.
struct ConvSpec {
  std::int64_t height = 0, width = 0,
               channels = 0;          ///< of the input, uint8 [height, width, channels]
  std::vector<std::int64_t> filters;  ///< {32, 32, 32}
  std::int64_t kernel = 3, stride = 2, padding = 1;
  /// Batch norm per channel, over rows and places, on the pre-activations of all convolutions.
  bool batch_norm = false;
};

struct TorchSpec {
  /// The fully connected layers. With pictures, input is found from the convolutions (channels
  /// first, as torch.flatten takes them), and batch_norm_input is per channel of the picture.
  MlpSpec mlp;
  std::optional<ConvSpec> conv;
};

struct TorchPlan;

/// Without convolutions: the same layouts, names and start values as Mlp, so that either engine
/// takes the other's checkpoints; results agree but for rounding. A group is one chain of operators
/// of fixed shape; batch statistics and their gradients are taken between chains, in the calling
/// thread.
class TorchNetwork final : public Network {
 public:
  /// Throws Code::kUsage when the spec makes no network.
  explicit TorchNetwork(const TorchSpec& spec);
  std::unique_ptr<NetworkPass> make_pass(std::int64_t groups, std::int64_t rows,
                                         const at::Device& device,
                                         Gradients wanted = Gradients::kAll) const override;

 private:
  std::shared_ptr<const TorchPlan> plan_;
};

}  // namespace tenfold::nn
