#include "a3c/sharing/optimizer.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "base/error.hpp"
#include "base/wide.hpp"
#include "kernels/optimizer_element.hpp"

// Ranks are processes: two of them that touch an element of shared memory at once race by design
// here, and nowhere else (Recht et al. 2011). Aligned floats are never torn, and these loops read
// and write each once at most.

namespace tenfold::a3c {

using kernels::MomentumScalars;
using kernels::RmspropScalars;

OptimizerKind optimizer_kind(const std::string& word) {
  if (word == "shared-rmsprop") return OptimizerKind::kSharedRmsprop;
  if (word == "rmsprop") return OptimizerKind::kRmsprop;
  if (word == "momentum") return OptimizerKind::kMomentum;
  throw base::Error(base::Code::kUsage, fmt::format("unknown optimizer '{}'", word),
                    "shared-rmsprop, rmsprop or momentum");
}

namespace {

// Inputs that were zero all through a rollout (a game's planes are mostly empty) have gradients of
// zero in whole rows: there the square only decays, with the same result and without a root.
constexpr std::int64_t kBlock = 64;

TENFOLD_WIDE void rmsprop_loop(const RmspropScalars k, const float* gradient, float* squares,
                               float* parameters, std::int64_t n) {
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t end = std::min(begin + kBlock, n);
    std::uint32_t bits = 0;
    for (std::int64_t i = begin; i < end; ++i) bits |= std::bit_cast<std::uint32_t>(gradient[i]);
    if (bits == 0) {
      for (std::int64_t i = begin; i < end; ++i) squares[i] *= k.decay;
      continue;
    }
    for (std::int64_t i = begin; i < end; ++i) {
      float square = squares[i];
      const float step = kernels::rmsprop_step(k, gradient[i], square);
      squares[i] = square;
      parameters[i] -= step;
    }
  }
}

TENFOLD_WIDE void momentum_loop(const MomentumScalars k, const float* gradient, float* momenta,
                                float* parameters, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    float momentum = momenta[i];
    const float step = kernels::momentum_step(k, gradient[i], momentum);
    momenta[i] = momentum;
    parameters[i] -= step;
  }
}

TENFOLD_WIDE void rmsprop_delta(const RmspropScalars k, const float* gradient, float* squares,
                                float* delta, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    float square = squares[i];
    delta[i] = -kernels::rmsprop_step(k, gradient[i], square);
    squares[i] = square;
  }
}

TENFOLD_WIDE void momentum_delta(const MomentumScalars k, const float* gradient, float* momenta,
                                 float* delta, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    float momentum = momenta[i];
    delta[i] = -kernels::momentum_step(k, gradient[i], momentum);
    momenta[i] = momentum;
  }
}

// Replaces value by f(value); returns what f gave beside it for the value that was replaced.
template <class F>
float swap_in(float& shared, const F& f) {
  std::atomic_ref<float> value(shared);
  float old = value.load(std::memory_order_relaxed);
  while (true) {
    float changed = old;
    const float extra = f(changed);
    if (value.compare_exchange_weak(old, changed, std::memory_order_relaxed)) return extra;
  }
}

template <class Step>
void atomic_loop(const Step& step, const float* gradient, float* statistics, float* parameters,
                 std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float move =
        swap_in(statistics[i], [&](float& statistic) { return step(gradient[i], statistic); });
    swap_in(parameters[i], [&](float& parameter) {
      parameter -= move;
      return 0.0F;
    });
  }
}

}  // namespace

void plain_step(const OptimizerOptions& options, double lr, const float* gradient,
                float* statistics, float* parameters, std::int64_t n) {
  if (options.kind == OptimizerKind::kMomentum) {
    momentum_loop({lr, options.alpha}, gradient, statistics, parameters, n);
  } else {
    rmsprop_loop({lr, options.alpha, options.eps}, gradient, statistics, parameters, n);
  }
}

void atomic_step(const OptimizerOptions& options, double lr, const float* gradient,
                 float* statistics, float* parameters, std::int64_t n) {
  if (options.kind == OptimizerKind::kMomentum) {
    const MomentumScalars k(lr, options.alpha);
    const auto step = [&](float d, float& m) { return kernels::momentum_step(k, d, m); };
    atomic_loop(step, gradient, statistics, parameters, n);
  } else {
    const RmspropScalars k(lr, options.alpha, options.eps);
    const auto step = [&](float d, float& g) { return kernels::rmsprop_step(k, d, g); };
    atomic_loop(step, gradient, statistics, parameters, n);
  }
}

void step_delta(const OptimizerOptions& options, double lr, const float* gradient,
                float* statistics, float* delta, std::int64_t n) {
  if (options.kind == OptimizerKind::kMomentum) {
    momentum_delta({lr, options.alpha}, gradient, statistics, delta, n);
  } else {
    rmsprop_delta({lr, options.alpha, options.eps}, gradient, statistics, delta, n);
  }
}

}  // namespace tenfold::a3c
