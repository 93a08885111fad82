// The three optimisers of Mnih et al. 2016, section 4.
#pragma once

#include <cstdint>
#include <string>

namespace tenfold::a3c {

enum class OptimizerKind {
  kSharedRmsprop,  ///< g is shared by all actors
  kRmsprop,        ///< every actor has a g of its own
  kMomentum,       ///< every actor has a momentum of its own
};

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSharedRmsprop;
  double alpha = 0.99;
  double eps = 0.1;  ///< inside the root
};

/// "shared-rmsprop" | "rmsprop" | "momentum". Throws Code::kUsage for another word.
OptimizerKind optimizer_kind(const std::string& word);

/// One step of size lr on n parameters: statistics (g or the momentum) and parameters move. The
/// memory may be shared: every element is read and written once at most, by plain instructions.
void plain_step(const OptimizerOptions& options, double lr, const float* gradient,
                float* statistics, float* parameters, std::int64_t n);
/// The same by compare-and-swap of every element.
void atomic_step(const OptimizerOptions& options, double lr, const float* gradient,
                 float* statistics, float* parameters, std::int64_t n);
/// The step alone, for who adds it elsewhere: delta <- what parameters would move by.
void step_delta(const OptimizerOptions& options, double lr, const float* gradient,
                float* statistics, float* delta, std::int64_t n);

}  // namespace tenfold::a3c
