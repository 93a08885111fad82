// The memory of a fused pass for rollouts.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/small_products.hpp"
#include "nn/rollout_plan.hpp"

namespace tenfold::nn {

/// Float32 rows, zero at first; numbers behind each row's columns stay zero.
class RowBuffer {
 public:
  RowBuffer() = default;
  /// tight: rows follow each other without a gap, else each starts at a multiple of kLanes.
  RowBuffer(std::int64_t rows, std::int64_t columns, bool tight);
  kernels::Rows from(std::int64_t row) const { return {data_ + row * stride_, stride_}; }
  float* row(std::int64_t row) const { return data_ + row * stride_; }
  std::int64_t stride() const { return stride_; }

 private:
  at::Tensor memory_;
  float* data_ = nullptr;
  std::int64_t stride_ = 0;
};

// Rows count t E + e, steps before environments, so that all rows of a rollout lie together.

struct RolloutConvWork {
  kernels::ConvShape shape{};
  std::vector<std::int32_t> offset;  ///< of each place's patch in the padded picture
  std::int64_t padded = 0;           ///< numbers of a padded picture
  RowBuffer picture;                 ///< padded; none where it is the layer below as it is
  RowBuffer y, dy;                   ///< [T E, places filters]
  RowBuffer w_t, padded_gradient;    ///< only where a gradient goes further down
  std::vector<std::int32_t> nonzero, nonzeros;  ///< [T E, padded], [T E]; of sparse pictures
};

struct RolloutLayerWork {
  RowBuffer y, dy;  ///< [T E, output]
};

struct RolloutLstmWork {
  RowBuffer state;          ///< [(T + 1) E, 2 cells]: h, c
  RowBuffer gates, dz;      ///< [T E, 4 cells]
  RowBuffer h, tanh_c, dh;  ///< [T E, cells]
  RowBuffer dc, dh_below;   ///< [E, cells]: what step t + 1 sends to t
};

struct RolloutWork {
  RolloutWork(const RolloutPlan& plan, std::int64_t steps, std::int64_t rows, bool gradients);

  RowBuffer input;                   ///< [T E, observation], of floats
  std::vector<std::uint8_t> frames;  ///< [T E, observation], of bytes
  std::vector<RolloutConvWork> convs;
  std::vector<RolloutLayerWork> layers;
  RolloutLstmWork lstm;
  std::vector<std::uint8_t> begins;   ///< [T, E]
  RowBuffer output, output_gradient;  ///< [T E, output]
  std::int64_t longest = 0;           ///< number of rows, or of inputs of a layer
};

}  // namespace tenfold::nn
