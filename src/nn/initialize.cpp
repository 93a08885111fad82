#include "nn/initialize.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

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

}  // namespace

void check_flat_shape(const at::Tensor& flat, const ParameterLayout& layout) {
  base::require(flat.scalar_type() == at::kFloat && flat.is_contiguous() &&
                    flat.numel() == layout.flat_size(),
                "Network: a flat buffer must be contiguous float32 of flat_size elements");
}

void initialize_flat(const at::Tensor& flat, const ParameterLayout& layout, std::uint32_t seed,
                     std::uint32_t index) {
  check_flat_shape(flat, layout);
  const at::Tensor host = at::empty({layout.flat_size()}, at::kFloat);
  auto* const values = host.data_ptr<float>();
  std::fill_n(values, layout.flat_size(), 0.0F);
  // One stream per entry: a wider layer does not shift the start values of the others.
  for (std::size_t e = 0; e < layout.entries().size(); ++e) {
    base::Stream stream(seed, base::Purpose::kParameterInit, index, e);
    fill_uniform(values, layout.entries()[e], stream);
  }
  flat.copy_(host);
}

}  // namespace tenfold::nn
