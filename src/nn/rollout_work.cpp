#include "nn/rollout_work.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>

namespace tenfold::nn {

namespace {

// Pictures of at most so many numbers may be sparse; larger ones are not searched for zeros.
constexpr std::int64_t kSparsePicture = 4096;

RolloutConvWork conv_work(const RolloutPlan& plan, std::size_t index, std::int64_t rows,
                          bool gradients) {
  const RolloutConvPlan& conv = plan.convs[index];
  const kernels::ConvGeometry& g = conv.geometry;
  const std::int64_t width = g.width + 2 * g.padding, height = g.height + 2 * g.padding;
  RolloutConvWork work;
  work.shape = {width, g.channels, g.kernel, g.stride, g.out_height, g.out_width, conv.filters};
  work.padded = height * width * g.channels;
  for (std::int64_t y = 0; y < g.out_height; ++y) {
    for (std::int64_t x = 0; x < g.out_width; ++x) {
      work.offset.push_back(static_cast<std::int32_t>((y * width + x) * g.stride * g.channels));
    }
  }
  const bool first = index == 0;
  if (g.padding > 0 || (first && plan.spec.conv->bytes)) {
    work.picture = RowBuffer(rows, work.padded, true);
  }
  if (first && work.padded <= kSparsePicture) {
    work.nonzero.resize(static_cast<std::size_t>(rows * work.padded + 1));
    work.nonzeros.resize(static_cast<std::size_t>(rows));
  }
  work.y = RowBuffer(rows, conv.output(), true);
  if (!gradients) return work;
  work.dy = RowBuffer(rows, conv.output(), true);
  if (first) return work;
  work.w_t = RowBuffer(conv.filters, g.patch(), true);
  if (g.padding > 0) work.padded_gradient = RowBuffer(1, work.padded, true);
  return work;
}

}  // namespace

RowBuffer::RowBuffer(std::int64_t rows, std::int64_t columns, bool tight) {
  using kernels::kLanes;
  stride_ = tight ? columns : (columns + kLanes - 1) / kLanes * kLanes;
  // Vectors may reach behind the last row.
  memory_ = at::zeros({rows * stride_ + kLanes}, at::kFloat);
  data_ = memory_.data_ptr<float>();
}

RolloutWork::RolloutWork(const RolloutPlan& plan, std::int64_t steps, std::int64_t rows,
                         bool gradients) {
  const std::int64_t all = steps * rows;
  const bool bytes = plan.spec.conv && plan.spec.conv->bytes;
  if (bytes) {
    frames.resize(static_cast<std::size_t>(all * plan.observation));
  } else {
    input = RowBuffer(all, plan.observation, true);
  }
  longest = std::max(all, plan.head.input);
  for (std::size_t i = 0; i < plan.convs.size(); ++i) {
    convs.push_back(conv_work(plan, i, all, gradients));
  }
  for (const RolloutLayerPlan& layer : plan.layers) {
    layers.push_back({RowBuffer(all, layer.output, false),
                      gradients ? RowBuffer(all, layer.output, false) : RowBuffer()});
    longest = std::max(longest, layer.input);
  }
  if (const std::int64_t cells = plan.spec.lstm; cells > 0) {
    longest = std::max({longest, plan.lstm.input, cells});
    lstm.state = RowBuffer(all + rows, 2 * cells, true);
    lstm.gates = RowBuffer(all, 4 * cells, false);
    lstm.h = RowBuffer(all, cells, false);
    lstm.tanh_c = RowBuffer(all, cells, false);
    if (gradients) {
      lstm.dz = RowBuffer(all, 4 * cells, false);
      lstm.dh = RowBuffer(all, cells, false);
      lstm.dc = RowBuffer(rows, cells, false);
      lstm.dh_below = RowBuffer(rows, cells, false);
    }
  }
  begins.resize(static_cast<std::size_t>(all));
  output = RowBuffer(all, plan.spec.output, true);
  if (gradients) output_gradient = RowBuffer(all, plan.spec.output, true);
}

}  // namespace tenfold::nn
