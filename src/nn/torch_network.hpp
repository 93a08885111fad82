// The same networks on LibTorch's operators and autograd.
#pragma once

#include <cstdint>
#include <memory>

#include "nn/mlp.hpp"

namespace tenfold::nn {

/// The same layouts, names and start values as Mlp, so that either engine takes the other's
/// checkpoints; results agree but for rounding. A group is one chain of operators of fixed shape;
/// batch statistics and their gradients are taken between chains, in the calling thread.
class TorchNetwork final : public Network {
 public:
  /// Throws Code::kUsage when the spec makes no network.
  explicit TorchNetwork(const NetworkSpec& spec);
  std::unique_ptr<NetworkPass> make_pass(std::int64_t groups, std::int64_t rows,
                                         const at::Device& device,
                                         Gradients wanted = Gradients::kAll) const override;

 private:
  std::shared_ptr<const MlpPlan> plan_;
};

}  // namespace tenfold::nn
