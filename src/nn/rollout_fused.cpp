#include "nn/rollout_fused.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "nn/flat_views.hpp"

namespace tenfold::nn {

using kernels::ConstRows;
using kernels::Rows;

FusedRolloutPass::FusedRolloutPass(std::shared_ptr<const RolloutPlan> plan, std::int64_t steps,
                                   std::int64_t rows, const at::Device& device, bool gradients)
    : plan_(std::move(plan)),
      steps_(steps),
      rows_(rows),
      gradients_(gradients),
      products_(kernels::small_products()),
      work_(*plan_, steps, rows, gradients),
      dense_(work_.longest) {
  if (!device.is_cpu()) {
    throw base::Error(base::Code::kUsage, "the fused engine of rollouts runs on the CPU alone",
                      "Use the torch engine on a GPU");
  }
  for (const ParameterEntry& entry : plan_->parameters.entries()) offsets_.push_back(entry.offset);
  const std::vector<std::int64_t> ranges = padding_ranges(plan_->parameters);
  for (std::size_t i = 0; i < ranges.size(); i += 2) gaps_.emplace_back(ranges[i], ranges[i + 1]);
}

std::int64_t FusedRolloutPass::first_row(std::int64_t t, std::int64_t steps) const {
  base::require(t >= 0 && t < steps, "RolloutPass: no such step");
  return t * rows_;
}

std::span<float> FusedRolloutPass::input(std::int64_t t) {
  const std::int64_t row = first_row(t, steps_);
  if (!work_.frames.empty()) return {};
  return {work_.input.row(row), static_cast<std::size_t>(rows_ * plan_->observation)};
}

std::span<std::uint8_t> FusedRolloutPass::frames(std::int64_t t) {
  const std::int64_t row = first_row(t, steps_);
  if (work_.frames.empty()) return {};
  return {work_.frames.data() + row * plan_->observation,
          static_cast<std::size_t>(rows_ * plan_->observation)};
}

std::span<float> FusedRolloutPass::state(std::int64_t t) {
  const std::int64_t row = first_row(t, steps_ + 1), cells = plan_->spec.lstm;
  if (cells == 0) return {};
  return {work_.lstm.state.row(row), static_cast<std::size_t>(rows_ * 2 * cells)};
}

std::span<std::uint8_t> FusedRolloutPass::begins(std::int64_t t) {
  const std::int64_t row = first_row(t, steps_);
  return {work_.begins.data() + row, static_cast<std::size_t>(rows_)};
}

std::span<const float> FusedRolloutPass::output(std::int64_t t) const {
  return {work_.output.row(first_row(t, steps_)),
          static_cast<std::size_t>(rows_ * plan_->spec.output)};
}

std::span<float> FusedRolloutPass::output_gradient(std::int64_t t) {
  const std::int64_t row = first_row(t, steps_);
  base::require(gradients_, "RolloutPass: made without gradients");
  return {work_.output_gradient.row(row), static_cast<std::size_t>(rows_ * plan_->spec.output)};
}

// The (padded) picture that convolution conv sees.
const float* FusedRolloutPass::picture(std::size_t conv, std::int64_t row) const {
  const RolloutConvWork& work = work_.convs[conv];
  if (work.picture.stride() > 0) return work.picture.row(row);
  return conv == 0 ? work_.input.row(row) : work_.convs[conv - 1].y.row(row);
}

// What the fully connected layer of that number, or the one behind the last, sees.
ConstRows FusedRolloutPass::seen_by(std::size_t layer, std::int64_t row) const {
  if (layer > 0) return work_.layers[layer - 1].y.from(row);
  return work_.convs.empty() ? work_.input.from(row) : work_.convs.back().y.from(row);
}

ConstRows FusedRolloutPass::seen_by_head(std::int64_t row) const {
  return plan_->spec.lstm > 0 ? work_.lstm.h.from(row) : seen_by(work_.layers.size(), row);
}

// Where its gradient goes; nowhere for an observation.
Rows FusedRolloutPass::slope_of(std::size_t layer) const {
  if (layer > 0) return work_.layers[layer - 1].dy.from(0);
  return work_.convs.empty() ? Rows{nullptr, 0} : work_.convs.back().dy.from(0);
}

void FusedRolloutPass::take_picture(std::size_t conv, std::int64_t row) {
  RolloutConvWork& work = work_.convs[conv];
  const kernels::ConvGeometry& g = plan_->convs[conv].geometry;
  if (work.picture.stride() > 0) {
    const std::int64_t line = g.width * g.channels;
    float* to = work.picture.row(row) + (g.padding * work.shape.width + g.padding) * g.channels;
    for (std::int64_t y = 0; y < g.height; ++y, to += work.shape.width * g.channels) {
      if (conv == 0 && !work_.frames.empty()) {
        products_.scale_bytes(work_.frames.data() + row * plan_->observation + y * line, line, to);
      } else {
        const float* const from =
            conv == 0 ? work_.input.row(row) : work_.convs[conv - 1].y.row(row);
        std::copy_n(from + y * line, line, to);
      }
    }
  }
  if (work.nonzeros.empty()) return;
  work.nonzeros[row] = static_cast<std::int32_t>(
      products_.nonzeros(picture(conv, row), work.padded, work.nonzero.data() + row * work.padded));
}

namespace {

// Going from number to number costs more than going over all of them in turn.
bool is_sparse(const RolloutConvWork& work, std::int64_t row) {
  constexpr std::int64_t kShare = 4;
  return !work.nonzeros.empty() && work.nonzeros[row] * kShare < work.padded;
}

}  // namespace

void FusedRolloutPass::conv_forward(std::size_t index, std::int64_t row) {
  RolloutConvWork& work = work_.convs[index];
  const RolloutConvPlan& conv = plan_->convs[index];
  take_picture(index, row);
  const Rows y{work.y.row(row), conv.filters};
  const float* const seen = picture(index, row);
  if (is_sparse(work, row)) {
    products_.conv_forward_sparse(work.shape, seen, work.nonzero.data() + row * work.padded,
                                  work.nonzeros[row], weight(conv.weight), weight(conv.bias), y);
  } else {
    products_.conv_forward(work.shape, work.offset.data(), seen, weight(conv.weight),
                           weight(conv.bias), y);
  }
  products_.activate(y.data, conv.output(), plan_->spec.conv->activation);
}

void FusedRolloutPass::layer_forward(const RolloutLayerPlan& plan, ConstRows x, Rows y) {
  dense_.forward(x, rows_, plan.input, weight(plan.weight), plan.output, {weight(plan.bias), 0}, y);
  products_.activate(y.data, rows_ * y.stride, plan.activation);
}

void FusedRolloutPass::lstm_forward(std::int64_t t) {
  const std::int64_t row = t * rows_, cells = plan_->spec.lstm;
  RolloutLstmWork& lstm = work_.lstm;
  layer_forward(plan_->lstm, seen_by(work_.layers.size(), row), lstm.gates.from(row));
  const Rows z = lstm.gates.from(row), before = lstm.state.from(row),
             after = lstm.state.from(row + rows_);
  dense_.forward(before, rows_, cells,
                 weight(plan_->lstm.weight) + plan_->lstm.input * plan_->lstm.output,
                 plan_->lstm.output, z, z);
  for (std::int64_t e = 0; e < rows_; ++e) {
    float* const next = after.data + e * after.stride;
    products_.lstm_forward(cells, z.data + e * z.stride, before.data + e * before.stride + cells,
                           next + cells, lstm.tanh_c.row(row + e), lstm.h.row(row + e));
    std::copy_n(lstm.h.row(row + e), cells, next);
  }
}

std::span<const float> FusedRolloutPass::forward(std::int64_t t, const at::Tensor& parameters) {
  const std::int64_t row = first_row(t, steps_);
  check_flat(parameters, plan_->parameters, at::kCPU);
  parameters_ = parameters.data_ptr<float>();
  for (std::int64_t e = 0; e < rows_; ++e) {
    for (std::size_t i = 0; i < work_.convs.size(); ++i) conv_forward(i, row + e);
  }
  for (std::size_t l = 0; l < work_.layers.size(); ++l) {
    layer_forward(plan_->layers[l], seen_by(l, row), work_.layers[l].y.from(row));
  }
  if (plan_->spec.lstm > 0) lstm_forward(t);
  layer_forward(plan_->head, seen_by_head(row), work_.output.from(row));
  return output(t);
}

void FusedRolloutPass::layer_backward(const RolloutLayerPlan& plan, ConstRows x, ConstRows dy,
                                      std::int64_t n, Rows dx) {
  dense_.weight_gradient(x, n, plan.input, dy, plan.output, gradient_of(plan.weight));
  products_.column_sums(dy, n, plan.output, gradient_of(plan.bias));
  if (dx.data == nullptr) return;
  dense_.input_gradient(dy, n, plan.output, weight(plan.weight), plan.input, dx);
}

// What step t + 1 sends back to t is in dc and dh_below, unless t is the last one.
void FusedRolloutPass::lstm_step_back(std::int64_t t, bool last) {
  const std::int64_t row = t * rows_, cells = plan_->spec.lstm;
  RolloutLstmWork& lstm = work_.lstm;
  for (std::int64_t e = 0; e < rows_; ++e) {
    float* const dh = lstm.dh.row(row + e);
    float* const dc = lstm.dc.row(e);
    if (last || work_.begins[row + rows_ + e] != 0) {
      std::fill_n(dc, cells, 0.0F);
    } else {
      const float* const below = lstm.dh_below.row(e);
      for (std::int64_t c = 0; c < cells; ++c) dh[c] += below[c];
    }
    products_.lstm_backward(cells, lstm.gates.row(row + e), lstm.state.row(row + e) + cells,
                            lstm.tanh_c.row(row + e), dh, dc, lstm.dz.row(row + e));
  }
  if (t == 0) return;
  dense_.input_gradient(lstm.dz.from(row), rows_, plan_->lstm.output,
                        weight(plan_->lstm.weight) + plan_->lstm.input * plan_->lstm.output, cells,
                        lstm.dh_below.from(0));
}

void FusedRolloutPass::lstm_backward(std::int64_t count) {
  const std::int64_t n = count * rows_;
  RolloutLstmWork& lstm = work_.lstm;
  for (std::int64_t t = count; t-- > 0;) lstm_step_back(t, t + 1 == count);
  const std::size_t below = work_.layers.size();
  layer_backward(plan_->lstm, seen_by(below, 0), lstm.dz.from(0), n, slope_of(below));
  dense_.weight_gradient(lstm.state.from(0), n, plan_->spec.lstm, lstm.dz.from(0),
                         plan_->lstm.output,
                         gradient_of(plan_->lstm.weight) + plan_->lstm.input * plan_->lstm.output);
}

void FusedRolloutPass::conv_send_back(std::size_t index, std::int64_t row) {
  RolloutConvWork& work = work_.convs[index];
  const kernels::ConvGeometry& g = plan_->convs[index].geometry;
  float* const below = work_.convs[index - 1].dy.row(row);
  const ConstRows dy{work.dy.row(row), plan_->convs[index].filters};
  const bool padded = g.padding > 0;
  float* const picture = padded ? work.padded_gradient.row(0) : below;
  std::fill_n(picture, work.padded, 0.0F);
  products_.conv_input_gradient(work.shape, work.offset.data(), dy, work.w_t.row(0), picture);
  if (!padded) return;
  const std::int64_t line = g.width * g.channels;
  const float* from = picture + (g.padding * work.shape.width + g.padding) * g.channels;
  for (std::int64_t y = 0; y < g.height; ++y, from += work.shape.width * g.channels) {
    std::copy_n(from, line, below + y * line);
  }
}

void FusedRolloutPass::conv_backward(std::size_t index, std::int64_t n) {
  RolloutConvWork& work = work_.convs[index];
  const RolloutConvPlan& conv = plan_->convs[index];
  const std::int64_t taps = conv.geometry.patch();
  products_.activation_backward(work.dy.row(0), work.y.row(0), n * conv.output(),
                                plan_->spec.conv->activation);
  products_.column_sums({work.dy.row(0), conv.filters}, n * conv.geometry.places(), conv.filters,
                        gradient_of(conv.bias));
  float* const dw = gradient_of(conv.weight);
  std::fill_n(dw, taps * conv.filters, 0.0F);
  if (index > 0) {
    const float* const w = weight(conv.weight);
    for (std::int64_t f = 0; f < conv.filters; ++f) {
      for (std::int64_t k = 0; k < taps; ++k) work.w_t.row(f)[k] = w[k * conv.filters + f];
    }
  }
  for (std::int64_t row = 0; row < n; ++row) {
    const ConstRows dy{work.dy.row(row), conv.filters};
    const float* const seen = picture(index, row);
    if (is_sparse(work, row)) {
      products_.conv_weight_gradient_sparse(
          work.shape, seen, work.nonzero.data() + row * work.padded, work.nonzeros[row], dy, dw);
    } else {
      products_.conv_weight_gradient(work.shape, work.offset.data(), seen, dy, dw);
    }
    if (index > 0) conv_send_back(index, row);
  }
}

void FusedRolloutPass::backward(std::int64_t count, const at::Tensor& parameters,
                                const at::Tensor& gradient) {
  base::require(gradients_, "RolloutPass::backward of a pass that was made without gradients");
  base::require(count > 0 && count <= steps_, "RolloutPass::backward: no such number of steps");
  check_flat(parameters, plan_->parameters, at::kCPU);
  check_flat(gradient, plan_->parameters, at::kCPU);
  parameters_ = parameters.data_ptr<float>();
  gradient_ = gradient.data_ptr<float>();
  const std::int64_t n = count * rows_;
  const std::size_t layers = work_.layers.size();
  layer_backward(plan_->head, seen_by_head(0), work_.output_gradient.from(0), n,
                 plan_->spec.lstm > 0 ? work_.lstm.dh.from(0) : slope_of(layers));
  if (plan_->spec.lstm > 0) lstm_backward(count);
  for (std::size_t l = layers; l-- > 0;) {
    const RowBuffer& dy = work_.layers[l].dy;
    products_.activation_backward(dy.row(0), work_.layers[l].y.row(0), n * dy.stride(),
                                  plan_->layers[l].activation);
    layer_backward(plan_->layers[l], seen_by(l, 0), dy.from(0), n, slope_of(l));
  }
  for (std::size_t i = work_.convs.size(); i-- > 0;) conv_backward(i, n);
  for (const auto& [first, last] : gaps_) std::fill(gradient_ + first, gradient_ + last, 0.0F);
}

}  // namespace tenfold::nn
