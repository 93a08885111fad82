#include "nn/torch_network.hpp"

#include "nn/mlp_plan.hpp"
#include "nn/torch_pass.hpp"

namespace tenfold::nn {

TorchNetwork::TorchNetwork(const NetworkSpec& spec)
    : plan_(std::make_shared<const MlpPlan>(plan_network(spec))) {
  set_layouts(plan_->parameters, plan_->buffers);
}

std::unique_ptr<NetworkPass> TorchNetwork::make_pass(std::int64_t groups, std::int64_t rows,
                                                     const at::Device& device,
                                                     Gradients wanted) const {
  return std::make_unique<TorchPass>(plan_, groups, rows, device, wanted);
}

}  // namespace tenfold::nn
