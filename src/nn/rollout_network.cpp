#include "nn/rollout_network.hpp"

#include <utility>

#include "base/error.hpp"
#include "nn/initialize.hpp"
#include "nn/rollout_fused.hpp"
#include "nn/rollout_plan.hpp"
#include "nn/rollout_torch.hpp"

namespace tenfold::nn {

namespace {

template <class Pass>
class NetworkOf final : public RolloutNetwork {
 public:
  explicit NetworkOf(const RolloutSpec& spec)
      : plan_(std::make_shared<const RolloutPlan>(plan_rollout(spec))) {
    parameters_ = plan_->parameters;
    forget_bias_ = spec.forget_bias;
  }
  std::unique_ptr<RolloutPass> make_pass(std::int64_t steps, std::int64_t rows,
                                         const at::Device& device, bool gradients) const override {
    base::require(steps > 0 && rows > 0, "RolloutPass: steps and rows must be positive");
    return std::make_unique<Pass>(plan_, steps, rows, device, gradients);
  }

 private:
  std::shared_ptr<const RolloutPlan> plan_;
};

}  // namespace

void RolloutNetwork::initialize(const at::Tensor& parameters, std::uint32_t seed,
                                std::uint32_t index) const {
  initialize_flat(parameters, parameters_, seed, index);
  if (forget_bias_ == 0) return;
  for (const ParameterEntry& each : parameters_.entries()) {
    if (each.name != "lstm.bias") continue;
    const std::int64_t cells = each.size / 4;
    parameters.narrow(0, each.offset + cells, cells).add_(forget_bias_);
  }
}

std::unique_ptr<RolloutNetwork> make_rollout_network(const RolloutSpec& spec,
                                                     RolloutEngine engine) {
  if (engine == RolloutEngine::kFused) return std::make_unique<NetworkOf<FusedRolloutPass>>(spec);
  return std::make_unique<NetworkOf<TorchRolloutPass>>(spec);
}

}  // namespace tenfold::nn
