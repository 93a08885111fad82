#include "nn/network.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/philox.hpp"

namespace tenfold::nn {

namespace {

void fill_uniform(float* values, const ParameterEntry& entry, base::Stream& stream) {
  for (std::int64_t i = 0; i < entry.size; ++i) {
    values[entry.offset + i] = static_cast<float>(
        entry.init_low == entry.init_high ? entry.init_low
                                          : stream.uniform(entry.init_low, entry.init_high));
  }
}

void check_flat(const at::Tensor& tensor, const ParameterLayout& layout) {
  base::require(tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
                    tensor.numel() == layout.flat_size(),
                "Network: a flat buffer must be contiguous float32 of flat_size elements");
}

}  // namespace

void Network::set_layouts(ParameterLayout parameters, ParameterLayout buffers) {
  parameters_ = std::move(parameters);
  buffers_ = std::move(buffers);
}

void Network::initialize(const at::Tensor& parameters, const at::Tensor& buffers,
                         std::uint32_t seed, std::uint32_t index) const {
  const auto fill = [&](const at::Tensor& flat, const ParameterLayout& layout) {
    check_flat(flat, layout);
    const at::Tensor host = at::empty({layout.flat_size()}, at::kFloat);
    auto* const values = host.data_ptr<float>();
    std::fill_n(values, layout.flat_size(), 0.0F);
    // One stream per entry: a wider layer does not shift the start values of the others.
    for (std::size_t e = 0; e < layout.entries().size(); ++e) {
      base::Stream stream(seed, base::Purpose::kParameterInit, index, e);
      fill_uniform(values, layout.entries()[e], stream);
    }
    flat.copy_(host);
  };
  fill(parameters, parameters_);
  if (buffers_.flat_size() > 0) fill(buffers, buffers_);
}

void Network::fill_decay(const at::Tensor& l2, double value) const {
  check_flat(l2, parameters_);
  l2.zero_();
  for (const ParameterEntry& entry : parameters_.entries()) {
    if (entry.decays) l2.narrow(0, entry.offset, entry.size).fill_(value);
  }
}

}  // namespace tenfold::nn
