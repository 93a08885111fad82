// The fused engine of networks for rollouts.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "nn/rollout_products.hpp"
#include "nn/rollout_work.hpp"

namespace tenfold::nn {

/// Plain loops over flat memory, on the CPU alone; a row's output has the same bits whatever E is,
/// as long as no product is a big one (RolloutProducts).
class FusedRolloutPass final : public RolloutPass {
 public:
  FusedRolloutPass(std::shared_ptr<const RolloutPlan> plan, std::int64_t steps, std::int64_t rows,
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
  std::int64_t first_row(std::int64_t t, std::int64_t steps) const;
  const float* weight(int entry) const { return parameters_ + offsets_[entry]; }
  float* gradient_of(int entry) const { return gradient_ + offsets_[entry]; }
  const float* picture(std::size_t conv, std::int64_t row) const;
  kernels::ConstRows seen_by(std::size_t layer, std::int64_t row) const;
  kernels::ConstRows seen_by_head(std::int64_t row) const;
  kernels::Rows slope_of(std::size_t layer) const;

  void take_picture(std::size_t conv, std::int64_t row);
  void conv_forward(std::size_t index, std::int64_t row);
  void layer_forward(const RolloutLayerPlan& plan, kernels::ConstRows x, kernels::Rows y);
  void lstm_forward(std::int64_t t);
  void layer_backward(const RolloutLayerPlan& plan, kernels::ConstRows x, kernels::ConstRows dy,
                      std::int64_t n, kernels::Rows dx);
  void lstm_backward(std::int64_t count);
  void lstm_step_back(std::int64_t t, bool last);
  void conv_backward(std::size_t index, std::int64_t n);
  void conv_send_back(std::size_t index, std::int64_t row);

  std::shared_ptr<const RolloutPlan> plan_;
  std::int64_t steps_, rows_;
  bool gradients_;
  const kernels::SmallProducts& products_;
  RolloutWork work_;
  RolloutProducts dense_;
  std::vector<std::int64_t> offsets_;  ///< of entries in a flat tensor
  std::vector<std::pair<std::int64_t, std::int64_t>> gaps_;
  const float* parameters_ = nullptr;
  float* gradient_ = nullptr;
};

}  // namespace tenfold::nn
