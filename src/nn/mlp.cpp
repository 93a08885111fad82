#include "nn/mlp.hpp"

#include "nn/mlp_plan.hpp"

namespace tenfold::nn {

Mlp::Mlp(const NetworkSpec& spec) : plan_(std::make_shared<const MlpPlan>(plan_network(spec))) {
  set_layouts(plan_->parameters, plan_->buffers);
}

std::unique_ptr<NetworkPass> Mlp::make_pass(std::int64_t groups, std::int64_t rows,
                                            const at::Device& device, Gradients wanted) const {
  return std::make_unique<MlpPass>(*this, groups, rows, device, wanted);
}

}  // namespace tenfold::nn
