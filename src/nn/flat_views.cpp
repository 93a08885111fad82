#include "nn/flat_views.hpp"

#include <ATen/ops/zeros.h>

#include "base/error.hpp"

namespace tenfold::nn {

at::Tensor group_rows(std::int64_t groups, std::int64_t rows, std::int64_t columns,
                      const at::Device& device) {
  constexpr std::int64_t kFloats = 64;
  const std::int64_t pitch = (rows * columns + kFloats - 1) / kFloats * kFloats;
  const at::Tensor memory =
      at::zeros({groups * pitch + kFloats}, at::TensorOptions().dtype(at::kFloat).device(device));
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data_ptr()) / sizeof(float);
  const auto misplaced = static_cast<std::int64_t>(address % static_cast<std::uintptr_t>(kFloats));
  return memory.as_strided({groups, rows, columns}, {pitch, columns, 1},
                           (kFloats - misplaced) % kFloats);
}

at::Tensor entry_view(const ParameterLayout& layout, int index, const at::Tensor& flat) {
  const ParameterEntry& entry = layout.entries()[static_cast<std::size_t>(index)];
  return flat.narrow(0, entry.offset, entry.size).view(entry.shape);
}

at::Tensor entry_columns(const ParameterLayout& layout, int index, const at::Tensor& rows) {
  const ParameterEntry& entry = layout.entries()[static_cast<std::size_t>(index)];
  return rows.narrow(1, entry.offset, entry.size);
}

bool is_bound(const at::Tensor& bound, const at::Tensor& tensor) {
  return bound.defined() && tensor.defined() && bound.data_ptr() == tensor.data_ptr() &&
         bound.sizes() == tensor.sizes() && bound.strides() == tensor.strides();
}

void check_flat(const at::Tensor& flat, const ParameterLayout& layout, const at::Device& device) {
  constexpr std::uintptr_t kAlignment = 64;
  base::require(flat.defined() && flat.dim() == 1 && flat.scalar_type() == at::kFloat &&
                    flat.is_contiguous() && flat.numel() == layout.flat_size() &&
                    flat.device() == device,
                "NetworkPass: a flat buffer must be contiguous float32 [flat_size] on the pass's "
                "device");
  base::require(reinterpret_cast<std::uintptr_t>(flat.data_ptr()) % kAlignment == 0,
                "NetworkPass: a flat buffer must be aligned to 64 bytes");
}

void check_gradients(const at::Tensor& gradients, const ParameterLayout& layout,
                     std::int64_t groups) {
  base::require(
      gradients.dim() == 2 && gradients.size(0) == groups && gradients.scalar_type() == at::kFloat,
      "NetworkPass::backward: gradients must be float32 [G, flat_size]");
  for (std::int64_t g = 0; g < groups; ++g) {
    check_flat(gradients.select(0, g), layout, gradients.device());
  }
}

std::vector<std::int64_t> padding_ranges(const ParameterLayout& layout) {
  std::vector<std::int64_t> ranges;
  const auto& entries = layout.entries();
  for (std::size_t e = 0; e < entries.size(); ++e) {
    const std::int64_t end = entries[e].offset + entries[e].size;
    const std::int64_t next = e + 1 < entries.size() ? entries[e + 1].offset : layout.flat_size();
    if (end < next) ranges.insert(ranges.end(), {end, next});
  }
  return ranges;
}

}  // namespace tenfold::nn
