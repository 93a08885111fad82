// Memory and views that the passes of both engines use.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/parameter_layout.hpp"

namespace tenfold::nn {

/// Zeros, float32 [G, B, C], rows contiguous. Groups start at multiples of 256 bytes, so that the
/// matrix library sees every group alike.
at::Tensor group_rows(std::int64_t groups, std::int64_t rows, std::int64_t columns,
                      const at::Device& device);

/// Entry index of a flat tensor, in its shape.
at::Tensor entry_view(const ParameterLayout& layout, int index, const at::Tensor& flat);
/// Entry index of [G, flat_size] rows: [G, size].
at::Tensor entry_columns(const ParameterLayout& layout, int index, const at::Tensor& rows);

/// Whether bound, which is held so that its address cannot come to mean another tensor's memory, is
/// the same memory as tensor.
bool is_bound(const at::Tensor& bound, const at::Tensor& tensor);

/// Throw Code::kBug unless flat is contiguous float32 [flat_size] on device, aligned to 64 bytes;
/// gradients are [G, flat_size] of such rows.
void check_flat(const at::Tensor& flat, const ParameterLayout& layout, const at::Device& device);
void check_gradients(const at::Tensor& gradients, const ParameterLayout& layout,
                     std::int64_t groups);

/// (first, last) of each gap between entries, one behind the other.
std::vector<std::int64_t> padding_ranges(const ParameterLayout& layout);

}  // namespace tenfold::nn
