#include "kernels/shard_sum.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "kernels/as_view.hpp"
#include "kernels/magnitude.hpp"

namespace tenfold::kernels {

namespace {

std::int64_t checked_columns(const at::Tensor& per_shard, const at::Tensor& total) {
  base::require(per_shard.dim() == 2 && per_shard.size(1) == total.numel(),
                "shard sum: per_shard must be [S, P] and total [P]");
  return total.numel();
}

}  // namespace

template <class T>
void ordered_sum_of(const at::Tensor& per_shard, const at::Tensor& total) {
  const std::int64_t columns = checked_columns(per_shard, total);
  const std::int64_t shards = per_shard.size(0);
  const T* const in = as_flat<T>(per_shard).data();
  T* const out = as_flat<T>(total).data();
  for_elements(
      total, columns, KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) out[p] = shards > 0 ? in[p] : T{0};
        // Two shards per sweep: the same additions in the same order with half the traffic on out.
        std::int64_t s = 1;
        for (; s + 1 < shards; s += 2) {
          const T* const a = in + s * columns;
          const T* const b = a + columns;
          for (std::int64_t p = begin; p < end; ++p) out[p] = (out[p] + a[p]) + b[p];
        }
        if (s < shards) {
          for (std::int64_t p = begin; p < end; ++p) out[p] += in[s * columns + p];
        }
      });
}

void ordered_sum(const at::Tensor& per_shard, const at::Tensor& total) {
  if (total.scalar_type() == at::kDouble) return ordered_sum_of<double>(per_shard, total);
  ordered_sum_of<float>(per_shard, total);
}

double max_abs(const at::Tensor& values) {
  return std::bit_cast<float>(largest_magnitude_bits<float>(values));
}

void to_fixed(const at::Tensor& per_shard, const at::Tensor& total, int exponent) {
  const std::int64_t columns = checked_columns(per_shard, total);
  const std::int64_t shards = per_shard.size(0);
  const float* const in = as_flat<float>(per_shard).data();
  std::int64_t* const out = as_flat<std::int64_t>(total).data();
  const double unit = std::ldexp(1.0, exponent);
  for_elements(
      total, columns, KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) out[p] = 0;
        for (std::int64_t s = 0; s < shards; ++s) {
          const float* const row = in + s * columns;
          for (std::int64_t p = begin; p < end; ++p) {
            out[p] += static_cast<std::int64_t>(std::llrint(static_cast<double>(row[p]) * unit));
          }
        }
      });
}

void from_fixed(const at::Tensor& total, const at::Tensor& values, int exponent, double scale) {
  base::require(values.numel() == total.numel(), "from_fixed: sizes differ");
  const std::int64_t* const in = as_flat<std::int64_t>(total).data();
  float* const out = as_flat<float>(values).data();
  const double unit = std::ldexp(1.0, -exponent);
  for_elements(
      values, total.numel(), KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) {
          out[p] = static_cast<float>(static_cast<double>(in[p]) * unit * scale);
        }
      });
}

int fixed_exponent(double max_abs, std::int64_t shards) {
  base::require(std::isfinite(max_abs) && max_abs >= 0 && shards >= 1,
                "fixed_exponent: max_abs must be finite and shards positive");
  if (max_abs == 0) return 0;
  // Beyond these, 2^exponent itself or its inverse would leave double's normal range.
  constexpr int kLowest = -1000;
  constexpr int kHighest = 1000;
  int exponent = 0;
  std::frexp(max_abs, &exponent);  // max_abs < 2^exponent
  exponent = 63 - exponent;
  while (exponent > kLowest) {
    const double one = std::nearbyint(std::ldexp(max_abs, exponent));
    if (exponent <= kHighest && one < 0x1p63 &&
        static_cast<std::int64_t>(one) <= std::numeric_limits<std::int64_t>::max() / shards) {
      break;
    }
    --exponent;
  }
  return exponent;
}

}  // namespace tenfold::kernels
