// Networks for rollouts on LibTorch's operators and autograd.
#pragma once

#include <memory>
#include <vector>

#include "nn/rollout_plan.hpp"

namespace tenfold::nn {

/// Every step keeps its graph until it is run again. Spans lie in host memory; on another device
/// they are copied there and back by forward and backward.
class TorchRolloutPass final : public RolloutPass {
 public:
  TorchRolloutPass(std::shared_ptr<const RolloutPlan> plan, std::int64_t steps, std::int64_t rows,
                   const at::Device& device, bool gradients);

  std::int64_t steps() const override { return steps_; }
  std::int64_t rows() const override { return rows_; }
  std::span<float> input(std::int64_t t) override;
  std::span<std::uint8_t> frames(std::int64_t t) override;
  std::span<float> state(std::int64_t t) override;
  std::span<std::uint8_t> begins(std::int64_t t) override;
  std::span<const float> forward(std::int64_t t, const at::Tensor& parameters) override;
  std::span<const float> output(std::int64_t t) const override;
  std::span<float> output_gradient(std::int64_t t) override;
  void backward(std::int64_t count, const at::Tensor& parameters,
                const at::Tensor& gradient) override;

 private:
  /// Of one forward, with its graph.
  struct Step {
    at::Tensor output, state, state_after;  ///< [E, output]; [E, 2 cells], the first one a leaf
  };
  void check_step(std::int64_t t, std::int64_t steps) const;
  void bind(const at::Tensor& parameters);
  const at::Tensor& leaf(int entry) const { return leaves_[static_cast<std::size_t>(entry)]; }
  at::Tensor on_device(const at::Tensor& host) const;
  at::Tensor convolved(std::int64_t t) const;
  at::Tensor through_cells(const at::Tensor& x, Step& step) const;
  /// into: the gradient by entry, zero.
  void differentiate(std::int64_t count, const std::vector<at::Tensor>& into) const;
  void differentiate_cells(std::int64_t count, const std::vector<at::Tensor>& into) const;

  std::shared_ptr<const RolloutPlan> plan_;
  std::int64_t steps_, rows_;
  at::Device device_;
  bool gradients_;
  at::Tensor input_, state_, begins_, output_, output_gradient_;  ///< [T, E, ...], in host memory
  at::Tensor bound_;
  std::vector<at::Tensor> leaves_;  ///< by entry
  std::vector<Step> ran_;           ///< [T]
};

}  // namespace tenfold::nn
