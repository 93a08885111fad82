#include "nn/rollout_products.hpp"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>

namespace tenfold::nn {

using kernels::ConstRows;
using kernels::Rows;

namespace {

at::Tensor matrix(ConstRows rows, std::int64_t n, std::int64_t width) {
  return at::from_blob(const_cast<float*>(rows.data), {n, width}, {rows.stride, 1}, at::kFloat);
}

}  // namespace

RolloutProducts::RolloutProducts(std::int64_t longest)
    : small_(kernels::small_products()), list_(static_cast<std::size_t>(longest + 1)) {}

void RolloutProducts::forward(ConstRows x, std::int64_t n, std::int64_t in, const float* w,
                              std::int64_t out, ConstRows start, Rows y) {
  if (!is_big(n, in, out)) return small_.forward(x, n, in, w, out, start, y, list_.data());
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  at::Tensor result = matrix(y, n, out);
  at::addmm_out(result, matrix(start, n, out), matrix(x, n, in), matrix({w, out}, in, out));
}

void RolloutProducts::weight_gradient(ConstRows x, std::int64_t n, std::int64_t in, ConstRows dy,
                                      std::int64_t out, float* dw) {
  if (!is_big(n, in, out)) return small_.weight_gradient(x, n, in, dy, out, dw, list_.data());
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  at::Tensor result = matrix({dw, out}, in, out);
  at::mm_out(result, matrix(x, n, in).t(), matrix(dy, n, out));
}

void RolloutProducts::input_gradient(ConstRows dy, std::int64_t n, std::int64_t out, const float* w,
                                     std::int64_t in, Rows dx) {
  if (!is_big(n, in, out)) return small_.input_gradient(dy, n, out, w, in, dx);
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  at::Tensor result = matrix(dx, n, in);
  at::mm_out(result, matrix(dy, n, out), matrix({w, out}, in, out).t());
}

}  // namespace tenfold::nn
