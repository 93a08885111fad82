// The reward helper: dm_control calls it `tolerance` (Tunyasuvunakool et al., 2020).
#pragma once

namespace tenfold::env {

enum class Sigmoid {
  kGaussian,
  kLinear,
  kQuadratic,
  kLongTail,
  kHyperbolic,
  kReciprocal,
  kCosine,
  kTanhSquared
};

/// 1 inside [low, high]; outside it falls with the distance d to the nearest bound, reaching value
/// at d = margin. margin 0: 0 outside. value in (0, 1), also 0 for linear, quadratic and cosine.
/// Throws Code::kBug for a bad margin or value.
double tolerance(double x, double low, double high, double margin = 0,
                 Sigmoid sigmoid = Sigmoid::kGaussian, double value = 0.1);

}  // namespace tenfold::env
