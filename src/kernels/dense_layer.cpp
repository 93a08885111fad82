#include "kernels/dense_layer.hpp"

#include <cmath>

#include "kernels/activate.hpp"
#include "kernels/as_view.hpp"

namespace tenfold::kernels {

namespace {

template <class T>
bool same_shape(const ShardRows<T>& a, const ShardRows<T>& b) {
  return a.shards == b.shards && a.rows == b.rows && a.columns == b.columns;
}

const float* optional_vector(const at::Tensor& tensor, std::int64_t size) {
  if (!tensor.defined()) return nullptr;
  base::require(tensor.numel() == size, "kernel: a per-column tensor has the wrong size");
  return as_flat<float>(tensor).data();
}

template <class T>
T* vector_of(const at::Tensor& tensor, std::int64_t size) {
  base::require(tensor.numel() == size, "kernel: a per-column tensor has the wrong size");
  return as_flat<T>(tensor).data();
}

}  // namespace

void bias_activation(const at::Tensor& x, const at::Tensor& bias, Activation activation) {
  const auto rows = as_rows<float>(x);
  const float* const b = optional_vector(bias, rows.columns);
  for_rows(
      x, rows.shards * rows.rows, rows.columns,
      KOKKOS_LAMBDA(std::int64_t i, std::int64_t begin, std::int64_t end) {
        float* const p = rows(i);
        if (b != nullptr) {
          for (std::int64_t c = begin; c < end; ++c) p[c] += b[c];
        }
        activate(p, begin, end, activation);
      });
}

void bias_activation_keep(const at::Tensor& x, const at::Tensor& bias, Activation activation,
                          const at::Tensor& before) {
  const auto rows = as_rows<float>(x);
  const auto kept = as_rows<float>(before);
  base::require(same_shape(rows, kept), "bias_activation_keep: shapes differ");
  const float* const b = optional_vector(bias, rows.columns);
  for_rows(
      x, rows.shards * rows.rows, rows.columns,
      KOKKOS_LAMBDA(std::int64_t i, std::int64_t begin, std::int64_t end) {
        float* const p = rows(i);
        float* const k = kept(i);
        for (std::int64_t c = begin; c < end; ++c) {
          k[c] = b != nullptr ? p[c] + b[c] : p[c];
          p[c] = k[c];
        }
        activate(p, begin, end, activation);
      });
}

void activation_backward(const at::Tensor& dy, const at::Tensor& y, Activation activation) {
  if (activation == Activation::kIdentity) return;
  const auto gradient = as_rows<float>(dy);
  const auto output = as_rows<float>(y);
  base::require(same_shape(gradient, output), "activation_backward: shapes differ");
  for_rows(
      dy, gradient.shards * gradient.rows, gradient.columns,
      KOKKOS_LAMBDA(std::int64_t i, std::int64_t begin, std::int64_t end) {
        float* const g = gradient(i);
        const float* const v = output(i);
        if (activation == Activation::kRelu) {
          for (std::int64_t c = begin; c < end; ++c) g[c] = v[c] <= 0.0F ? 0.0F : g[c];
        } else {
          for (std::int64_t c = begin; c < end; ++c) g[c] *= 1.0F - v[c] * v[c];
        }
      });
}

void add_scaled(const at::Tensor& x, const at::Tensor& term, double factor) {
  const auto sum = as_rows<float>(x);
  const auto added = as_rows<float>(term);
  base::require(same_shape(sum, added), "add_scaled: shapes differ");
  const auto scale = static_cast<float>(factor);
  for_rows(
      x, sum.shards * sum.rows, sum.columns,
      KOKKOS_LAMBDA(std::int64_t i, std::int64_t begin, std::int64_t end) {
        float* const s = sum(i);
        const float* const t = added(i);
        for (std::int64_t c = begin; c < end; ++c) s[c] += scale * t[c];
      });
}

void bias_gradient(const at::Tensor& dy, const at::Tensor& gradient) {
  const auto in = as_rows<float>(dy);
  const auto out = as_rows<float>(gradient);
  base::require(gradient.dim() == 2 && out.shards == in.shards && out.columns == in.columns,
                "bias_gradient: gradient must be [S, C]");
  for_rows(
      dy, in.shards, in.columns,
      KOKKOS_LAMBDA(std::int64_t s, std::int64_t begin, std::int64_t end) {
        float* const total = out(s);
        for (std::int64_t c = begin; c < end; ++c) total[c] = 0.0F;
        for (std::int64_t b = 0; b < in.rows; ++b) {
          const float* const row = in.at(s, b);
          for (std::int64_t c = begin; c < end; ++c) total[c] += row[c];
        }
      });
}

void zero_ranges(const at::Tensor& rows, const at::Tensor& ranges) {
  const auto out = as_rows<float>(rows);
  const std::int64_t* const range = as_flat<std::int64_t>(ranges).data();
  for_rows(
      rows, out.shards, ranges.size(0),
      KOKKOS_LAMBDA(std::int64_t s, std::int64_t begin, std::int64_t end) {
        float* const row = out(s);
        for (std::int64_t r = begin; r < end; ++r) {
          for (std::int64_t p = range[2 * r]; p < range[2 * r + 1]; ++p) row[p] = 0.0F;
        }
      });
}

void batch_norm_sums(const at::Tensor& x, const at::Tensor& sums) {
  batch_norm_backward_sums(x, x, sums);
}

void batch_norm_statistics(const at::Tensor& total, double count, double eps, double momentum,
                           const at::Tensor& mean, const at::Tensor& inv_std,
                           const at::Tensor& running_mean, const at::Tensor& running_var) {
  const std::int64_t columns = mean.numel();
  const double* const t = vector_of<double>(total, 2 * columns);
  double* const m = vector_of<double>(mean, columns);
  double* const r = vector_of<double>(inv_std, columns);
  const bool moves = running_mean.defined();
  float* const rm = moves ? vector_of<float>(running_mean, columns) : nullptr;
  float* const rv = moves ? vector_of<float>(running_var, columns) : nullptr;
  const double unbiased = count > 1.0 ? count / (count - 1.0) : 1.0;
  for_elements(
      mean, columns, KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c) {
          const double average = t[c] / count;
          double variance = t[columns + c] / count - average * average;
          variance = variance < 0.0 ? 0.0 : variance;  // rounding; NaN stays
          m[c] = average;
          r[c] = 1.0 / std::sqrt(variance + eps);
          if (moves) {
            rm[c] = static_cast<float>((1.0 - momentum) * rm[c] + momentum * average);
            rv[c] = static_cast<float>((1.0 - momentum) * rv[c] + momentum * unbiased * variance);
          }
        }
      });
}

void batch_norm_running(const at::Tensor& running_mean, const at::Tensor& running_var, double eps,
                        const at::Tensor& mean, const at::Tensor& inv_std) {
  const std::int64_t columns = mean.numel();
  const float* const rm = vector_of<float>(running_mean, columns);
  const float* const rv = vector_of<float>(running_var, columns);
  double* const m = vector_of<double>(mean, columns);
  double* const r = vector_of<double>(inv_std, columns);
  for_elements(
      mean, columns, KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c) {
          m[c] = rm[c];
          r[c] = 1.0 / std::sqrt(static_cast<double>(rv[c]) + eps);
        }
      });
}

void batch_norm_apply(const at::Tensor& x, const at::Tensor& mean, const at::Tensor& inv_std,
                      const at::Tensor& gamma, const at::Tensor& beta, const at::Tensor& xhat,
                      const at::Tensor& y) {
  const auto in = as_rows<float>(x);
  const auto normal = as_rows<float>(xhat);
  const auto out = as_rows<float>(y);
  base::require(same_shape(in, normal) && same_shape(in, out), "batch_norm_apply: shapes differ");
  const double* const m = vector_of<double>(mean, in.columns);
  const double* const r = vector_of<double>(inv_std, in.columns);
  const float* const g = vector_of<float>(gamma, in.columns);
  const float* const b = vector_of<float>(beta, in.columns);
  for_rows(
      x, in.shards * in.rows, in.columns,
      KOKKOS_LAMBDA(std::int64_t i, std::int64_t begin, std::int64_t end) {
        const float* const v = in(i);
        float* const h = normal(i);
        float* const o = out(i);
        for (std::int64_t c = begin; c < end; ++c) {
          h[c] = static_cast<float>((v[c] - m[c]) * r[c]);
          o[c] = g[c] * h[c] + b[c];
        }
      });
}

void batch_norm_backward_sums(const at::Tensor& dy, const at::Tensor& xhat,
                              const at::Tensor& sums) {
  const auto in = as_rows<float>(dy);
  const auto normal = as_rows<float>(xhat);
  const auto out = as_rows<double>(sums);
  const std::int64_t columns = in.columns;
  base::require(same_shape(in, normal) && sums.dim() == 2 && out.shards == in.shards &&
                    out.columns == 2 * columns,
                "batch_norm sums: sums must be [S, 2C]");
  for_rows(
      dy, in.shards, columns, KOKKOS_LAMBDA(std::int64_t s, std::int64_t begin, std::int64_t end) {
        double* const plain = out(s);
        double* const weighted = plain + columns;
        for (std::int64_t c = begin; c < end; ++c) plain[c] = weighted[c] = 0.0;
        for (std::int64_t b = 0; b < in.rows; ++b) {
          const float* const g = in.at(s, b);
          const float* const h = normal.at(s, b);
          for (std::int64_t c = begin; c < end; ++c) {
            plain[c] += g[c];
            weighted[c] += static_cast<double>(g[c]) * h[c];
          }
        }
      });
}

void batch_norm_backward(const at::Tensor& dy, const at::Tensor& xhat, const at::Tensor& gamma,
                         const at::Tensor& inv_std, const at::Tensor& total, double count,
                         const at::Tensor& dx) {
  const auto in = as_rows<float>(dy);
  const auto normal = as_rows<float>(xhat);
  const auto out = as_rows<float>(dx);
  const std::int64_t columns = in.columns;
  base::require(same_shape(in, normal) && same_shape(in, out),
                "batch_norm_backward: shapes differ");
  const float* const g = vector_of<float>(gamma, columns);
  const double* const r = vector_of<double>(inv_std, columns);
  const double* const t = count > 0 ? vector_of<double>(total, 2 * columns) : nullptr;
  const double per_row = count > 0 ? 1.0 / count : 0.0;
  for_rows(
      dy, in.shards * in.rows, columns,
      KOKKOS_LAMBDA(std::int64_t i, std::int64_t begin, std::int64_t end) {
        const float* const d = in(i);
        const float* const h = normal(i);
        float* const o = out(i);
        if (t == nullptr) {
          for (std::int64_t c = begin; c < end; ++c) {
            o[c] = static_cast<float>(g[c] * r[c] * d[c]);
          }
          return;
        }
        for (std::int64_t c = begin; c < end; ++c) {
          const double centred =
              d[c] - t[c] * per_row - static_cast<double>(h[c]) * (t[columns + c] * per_row);
          o[c] = static_cast<float>(g[c] * r[c] * centred);
        }
      });
}

}  // namespace tenfold::kernels
