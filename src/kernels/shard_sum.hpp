// Sums over virtual shards whose bits do not depend on how shards are spread over ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tenfold::kernels {

/// total[p] = sum over s = 0, 1, ... of per_shard[s, p], in that order. float32 or float64,
/// contiguous [S, P] and [P].
void ordered_sum(const at::Tensor& per_shard, const at::Tensor& total);

/// Largest |value|; 0 for an empty tensor; NaN and infinities are passed on. float32.
double max_abs(const at::Tensor& values);

/// total[p] = sum over s of round(per_shard[s, p] * 2^exponent) as int64. The caller picks exponent
/// so that no sum over all shards can leave int64 (see fixed_exponent). float32 in, int64 out.
void to_fixed(const at::Tensor& per_shard, const at::Tensor& total, int exponent);
/// values[p] = total[p] * 2^-exponent * scale, computed in double, rounded once to float32.
void from_fixed(const at::Tensor& total, const at::Tensor& values, int exponent, double scale);
/// The largest exponent for which shards values of at most max_abs each cannot overflow int64.
int fixed_exponent(double max_abs, std::int64_t shards);

}  // namespace tenfold::kernels
