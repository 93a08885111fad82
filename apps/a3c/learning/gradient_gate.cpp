#include "a3c/learning/gradient_gate.hpp"

#include <cmath>

#include "base/error.hpp"
#include "base/log.hpp"
#include "kernels/flat_optimizer.hpp"

namespace tenfold::a3c {

namespace {
constexpr int kSkipsInARow = 100;
}

void GradientGate::refuse(const at::Tensor& gradient, const std::string& of, Tally& tally) {
  const std::string where = layout_.name_at(kernels::first_nonfinite(gradient));
  ++skipped_in_a_row_;
  if (skip_ && skipped_in_a_row_ < kSkipsInARow) {
    tally.skipped += 1;
    base::log_warning("{}: the gradient of {} is not finite, left out", of, where);
    return;
  }
  throw base::Error(
      base::Code::kNumeric,
      fmt::format("{}: the gradient of {} is not finite{}", of, where,
                  skip_ ? fmt::format("; {} in a row were left out for such", kSkipsInARow) : ""),
      "Lower --lr or --clip, look at the task's rewards, or use --nonfinite skip");
}

bool GradientGate::pass(const at::Tensor& gradient, Tally& tally) {
  const double norm = std::sqrt(kernels::sum_of_squares(gradient));
  if (!std::isfinite(norm)) return false;
  skipped_in_a_row_ = 0;
  tally.gradient_norm += norm;
  if (clip_ > 0 && norm > clip_) {
    const auto factor = static_cast<float>(clip_ / norm);
    auto* const values = gradient.data_ptr<float>();
    for (std::int64_t i = 0; i < gradient.numel(); ++i) values[i] *= factor;
    tally.clipped += 1;
  }
  return true;
}

}  // namespace tenfold::a3c
