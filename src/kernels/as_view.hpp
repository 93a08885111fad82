// Kokkos views of tensors, without copies: the one place that checks type, layout and device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "base/error.hpp"
#include "kernels/compat.hpp"
#include "kernels/runtime.hpp"

namespace tenfold::kernels {

/// A tensor's own memory, whatever its device; the tensor must outlive the view.
template <class T>
using FlatView = Kokkos::View<T*, Kokkos::LayoutRight, Kokkos::AnonymousSpace,
                              Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// Rows of a [S, B, C] tensor with strides (pitch, stride, 1), counted through shards: row i lies
/// in shard i / B.
template <class T>
struct ShardRows {
  T* data;
  std::int64_t shards, rows, columns, pitch, stride;
  KOKKOS_INLINE_FUNCTION T* operator()(std::int64_t i) const {
    return data + i / rows * pitch + i % rows * stride;
  }
  KOKKOS_INLINE_FUNCTION T* at(std::int64_t shard, std::int64_t row) const {
    return data + shard * pitch + row * stride;
  }
};

namespace detail {

template <class T>
void check(const at::Tensor& tensor) {
  base::require(tensor.defined() && tensor.scalar_type() == c10::CppTypeToScalarType<T>::value,
                "kernel: a tensor is missing or of the wrong type");
  check_device(tensor.device());
}

}  // namespace detail

/// A contiguous tensor of any shape as one row. Throws Code::kBug for another type or layout,
/// Code::kUsage where this build has no kernels for the tensor's device.
template <class T>
FlatView<T> as_flat(const at::Tensor& tensor) {
  detail::check<T>(tensor);
  base::require(tensor.is_contiguous(), "kernel: the tensor must be contiguous");
  return FlatView<T>(tensor.data_ptr<T>(), static_cast<std::size_t>(tensor.numel()));
}

/// A [S, B, C] or, as one row per shard, [S, C] tensor whose last dimension is contiguous.
template <class T>
ShardRows<T> as_rows(const at::Tensor& tensor) {
  detail::check<T>(tensor);
  const bool cube = tensor.dim() == 3;
  base::require(cube || tensor.dim() == 2, "kernel: the tensor must be [S, B, C] or [S, C]");
  const std::int64_t columns = tensor.size(-1);
  base::require(columns <= 1 || tensor.stride(-1) == 1, "kernel: rows must be contiguous");
  return {tensor.data_ptr<T>(),      tensor.size(0),
          cube ? tensor.size(1) : 1, columns,
          tensor.stride(0),          cube ? tensor.stride(1) : columns};
}

}  // namespace tenfold::kernels
