// One use of a TorchNetwork.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "nn/torch_network.hpp"

namespace tenfold::nn {

class TorchPass final : public NetworkPass {
 public:
  TorchPass(std::shared_ptr<const MlpPlan> plan, std::int64_t groups, std::int64_t rows,
            const at::Device& device, Gradients wanted);
  ~TorchPass() override;

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
