// The products of a fused pass for rollouts: small ones are loops of ours, big ones the matrix
// library's.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/small_products.hpp"

namespace tenfold::nn {

/// As kernels::SmallProducts. Which way a product goes depends on its shape alone: from kBigRows
/// rows and kBig multiplications on it is LibTorch's, in whose results a row's bits may depend on
/// the number of rows, and which allocates the handles of a few tensors.
class RolloutProducts {
 public:
  static constexpr std::int64_t kBigRows = 16, kBig = std::int64_t{1} << 20;
  static bool is_big(std::int64_t n, std::int64_t in, std::int64_t out) {
    return n >= kBigRows && n * in * out >= kBig;
  }

  /// longest: the largest n or in of any product.
  explicit RolloutProducts(std::int64_t longest);
  void forward(kernels::ConstRows x, std::int64_t n, std::int64_t in, const float* w,
               std::int64_t out, kernels::ConstRows start, kernels::Rows y);
  void weight_gradient(kernels::ConstRows x, std::int64_t n, std::int64_t in, kernels::ConstRows dy,
                       std::int64_t out, float* dw);
  void input_gradient(kernels::ConstRows dy, std::int64_t n, std::int64_t out, const float* w,
                      std::int64_t in, kernels::Rows dx);

 private:
  const kernels::SmallProducts& small_;
  std::vector<std::int32_t> list_;
};

}  // namespace tenfold::nn
