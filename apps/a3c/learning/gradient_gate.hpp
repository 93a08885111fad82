// What every gradient goes through before it is applied.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "a3c/tally.hpp"
#include "nn/parameter_layout.hpp"

namespace tenfold::a3c {

class GradientGate {
 public:
  /// clip: largest norm, 0: any. skip: leave out gradients that are not finite, up to a hundred in
  /// a row.
  GradientGate(const nn::ParameterLayout& layout, double clip, bool skip)
      : layout_(layout), clip_(clip), skip_(skip) {}

  /// Scales gradient, float32 [P], down to the largest norm. False: it is not finite.
  bool pass(const at::Tensor& gradient, Tally& tally);
  /// What to do with one that is not: counts it, if such are left out, or throws Code::kNumeric.
  /// of: "actor 3, decision 1200".
  void refuse(const at::Tensor& gradient, const std::string& of, Tally& tally);

 private:
  const nn::ParameterLayout& layout_;
  double clip_;
  bool skip_;
  int skipped_in_a_row_ = 0;
};

}  // namespace tenfold::a3c
