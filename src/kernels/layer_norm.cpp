#include "kernels/layer_norm.hpp"

#include <cmath>

#include "kernels/activate.hpp"
#include "kernels/as_view.hpp"

namespace tenfold::kernels {

namespace {

// Independent partial sums, so that the compiler may use vector instructions without changing the
// order of any one of them.
struct Lanes {
  static constexpr int kCount = 8;
  double value[kCount] = {};
  KOKKOS_INLINE_FUNCTION double total() const {
    return ((value[0] + value[4]) + (value[1] + value[5])) +
           ((value[2] + value[6]) + (value[3] + value[7]));
  }
};

/// Sum over c of term(c), always in the same order.
template <class Term>
KOKKOS_INLINE_FUNCTION double row_sum(std::int64_t columns, const Term& term) {
  Lanes lanes;
  std::int64_t c = 0;
  for (; c + Lanes::kCount <= columns; c += Lanes::kCount) {
    for (int k = 0; k < Lanes::kCount; ++k) lanes.value[k] += term(c + k);
  }
  for (int k = 0; c < columns; ++c, ++k) lanes.value[k] += term(c);
  return lanes.total();
}

const float* columns_of(const at::Tensor& tensor, std::int64_t columns) {
  base::require(tensor.numel() == columns, "layer_norm: a per-column tensor has the wrong size");
  return as_flat<float>(tensor).data();
}

template <class Rows>
void check_shapes(const Rows& x, const Rows& xhat, const at::Tensor& inv_std) {
  base::require(x.shards == xhat.shards && x.rows == xhat.rows && x.columns == xhat.columns &&
                    inv_std.numel() == x.shards * x.rows,
                "layer_norm: shapes differ");
}

}  // namespace

void layer_norm_activation(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& gamma,
                           const at::Tensor& beta, double eps, Activation activation,
                           const at::Tensor& xhat, const at::Tensor& inv_std) {
  const auto rows = as_rows<float>(x);
  const auto normal = as_rows<float>(xhat);
  check_shapes(rows, normal, inv_std);
  const std::int64_t columns = rows.columns;
  const float* const b = columns_of(bias, columns);
  const float* const g = columns_of(gamma, columns);
  const float* const shift = columns_of(beta, columns);
  double* const r = as_flat<double>(inv_std).data();
  for_whole_rows(
      x, rows.shards * rows.rows, KOKKOS_LAMBDA(std::int64_t i) {
        float* const p = rows(i);
        float* const h = normal(i);
        for (std::int64_t c = 0; c < columns; ++c) p[c] += b[c];
        const double count = static_cast<double>(columns);
        const double mean =
            row_sum(columns, [p](std::int64_t c) { return static_cast<double>(p[c]); }) / count;
        const double variance = row_sum(columns,
                                        [p, mean](std::int64_t c) {
                                          const double d = p[c] - mean;
                                          return d * d;
                                        }) /
                                count;
        const double scale = 1.0 / std::sqrt(variance + eps);
        r[i] = scale;
        for (std::int64_t c = 0; c < columns; ++c) {
          h[c] = static_cast<float>((p[c] - mean) * scale);
          p[c] = g[c] * h[c] + shift[c];
        }
        activate(p, 0, columns, activation);
      });
}

void layer_norm_backward(const at::Tensor& dy, const at::Tensor& xhat, const at::Tensor& gamma,
                         const at::Tensor& inv_std) {
  const auto rows = as_rows<float>(dy);
  const auto normal = as_rows<float>(xhat);
  check_shapes(rows, normal, inv_std);
  const std::int64_t columns = rows.columns;
  const float* const g = columns_of(gamma, columns);
  const double* const r = as_flat<double>(inv_std).data();
  for_whole_rows(
      dy, rows.shards * rows.rows, KOKKOS_LAMBDA(std::int64_t i) {
        float* const d = rows(i);
        const float* const h = normal(i);
        const double per_column = 1.0 / static_cast<double>(columns);
        const double plain =
            row_sum(columns, [d, g](std::int64_t c) { return static_cast<double>(g[c]) * d[c]; }) *
            per_column;
        const double weighted =
            row_sum(columns,
                    [d, g, h](std::int64_t c) { return static_cast<double>(g[c]) * d[c] * h[c]; }) *
            per_column;
        for (std::int64_t c = 0; c < columns; ++c) {
          d[c] = static_cast<float>(r[i] *
                                    (static_cast<double>(g[c]) * d[c] - plain - h[c] * weighted));
        }
      });
}

}  // namespace tenfold::kernels
