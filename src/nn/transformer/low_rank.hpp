// What low-rank adapters add to a product.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace tenfold::nn {

/// Adapters of matrices that lie together as one: their A as one matrix, so that they cost one
/// product more, and a B for each. Without a it adds nothing.
struct LowRank {
  struct Part {
    std::int64_t column = 0;  ///< of the joint result, where this one's columns begin
    at::Tensor b;             ///< [columns, rank]
  };

  at::Tensor a;  ///< [parts * rank, in]
  std::vector<Part> parts;
  double scale = 1;

  /// y [..., columns] + scale * B A x, where y is the product of x [..., in] without adapters.
  at::Tensor added(const at::Tensor& y, const at::Tensor& x) const;
};

}  // namespace tenfold::nn
