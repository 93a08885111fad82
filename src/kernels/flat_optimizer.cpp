#include "kernels/flat_optimizer.hpp"

#include "base/wide.hpp"
#include "kernels/as_view.hpp"
#include "kernels/magnitude.hpp"
#include "kernels/optimizer_element.hpp"

namespace tenfold::kernels {

namespace {

float* floats(const at::Tensor& tensor, std::int64_t size) {
  base::require(tensor.numel() == size, "flat optimizer: sizes differ");
  return as_flat<float>(tensor).data();
}

// The tensors of an optimizer never overlap.
TENFOLD_WIDE void adam_loop(const AdamScalars k, std::int64_t begin, std::int64_t end,
                            const float* __restrict g, float* __restrict first,
                            float* __restrict second, float* __restrict p) {
  for (std::int64_t i = begin; i < end; ++i) adam_element(k, g[i], first[i], second[i], p[i]);
}

TENFOLD_WIDE void adam_decay_loop(const AdamScalars k, std::int64_t begin, std::int64_t end,
                                  const float* __restrict g, const float* __restrict decay,
                                  float* __restrict first, float* __restrict second,
                                  float* __restrict p) {
  for (std::int64_t i = begin; i < end; ++i) {
    adam_element(k, g[i] + decay[i] * p[i], first[i], second[i], p[i]);
  }
}

TENFOLD_WIDE void adamw_loop(const AdamScalars k, double lr, std::int64_t begin, std::int64_t end,
                             const float* __restrict g, const float* __restrict decay,
                             float* __restrict first, float* __restrict second,
                             float* __restrict p) {
  for (std::int64_t i = begin; i < end; ++i) {
    p[i] *= static_cast<float>(1.0 - lr * static_cast<double>(decay[i]));
    adam_element(k, g[i], first[i], second[i], p[i]);
  }
}

TENFOLD_WIDE void scale_loop(float factor, std::int64_t begin, std::int64_t end,
                             float* __restrict x) {
  for (std::int64_t i = begin; i < end; ++i) x[i] *= factor;
}

TENFOLD_WIDE void polyak_loop(float weight, std::int64_t begin, std::int64_t end,
                              const float* __restrict s, float* __restrict t) {
  for (std::int64_t i = begin; i < end; ++i) t[i] = polyak_element(t[i], s[i], weight);
}

TENFOLD_WIDE double add_squares(const float* x, std::int64_t begin, std::int64_t end, double sum) {
  // One sum waits for itself at every addition; several fill the pipeline and the vectors.
  constexpr int kLanes = 16;
  double lanes[kLanes] = {};
  std::int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    for (int k = 0; k < kLanes; ++k) {
      lanes[k] += static_cast<double>(x[i + k]) * static_cast<double>(x[i + k]);
    }
  }
  for (; i < end; ++i) lanes[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace

void adam_step(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& m,
               const at::Tensor& v, const at::Tensor& l2, std::int64_t step,
               const AdamOptions& options) {
  base::require(step >= 1, "adam_step: steps count from 1");
  const std::int64_t size = parameter.numel();
  float* const p = floats(parameter, size);
  const float* const g = floats(gradient, size);
  float* const first = floats(m, size);
  float* const second = floats(v, size);
  const float* const decay = l2.defined() ? floats(l2, size) : nullptr;
  const AdamScalars k(step, options);
  const double lr = options.lr;
  const bool decoupled = options.decoupled_decay;
  for_elements(
      parameter, size, KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) {
        if (decay == nullptr) {
          adam_loop(k, begin, end, g, first, second, p);
        } else if (decoupled) {
          adamw_loop(k, lr, begin, end, g, decay, first, second, p);
        } else {
          adam_decay_loop(k, begin, end, g, decay, first, second, p);
        }
      });
}

void scale(const at::Tensor& values, double factor) {
  const std::int64_t size = values.numel();
  float* const x = floats(values, size);
  const auto by = static_cast<float>(factor);
  for_elements(
      values, size,
      KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) { scale_loop(by, begin, end, x); });
}

void polyak(const at::Tensor& target, const at::Tensor& source, double tau) {
  const std::int64_t size = target.numel();
  float* const t = floats(target, size);
  const float* const s = floats(source, size);
  const auto weight = static_cast<float>(tau);
  const bool copy = tau == 1.0;
  for_elements(
      target, size, KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) {
        if (copy) {
          for (std::int64_t i = begin; i < end; ++i) t[i] = s[i];
        } else {
          polyak_loop(weight, begin, end, s, t);
        }
      });
}

double sum_of_squares(const at::Tensor& values) {
  const float* const x = as_flat<float>(values).data();
  return reduce_elements<Kokkos::Sum<double>>(
      values, values.numel(), 0.0,
      KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end, double& sum) {
        sum = add_squares(x, begin, end, sum);
      });
}

std::int64_t first_nonfinite(const at::Tensor& values) {
  if (values.scalar_type() == at::kDouble) return first_nonfinite_index<double>(values);
  return first_nonfinite_index<float>(values);
}

}  // namespace tenfold::kernels
