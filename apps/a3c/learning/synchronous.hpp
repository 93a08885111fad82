// A2C: gradients of all actors are averaged, every rank takes the same step.
#pragma once

#include "a3c/learning/gradient_gate.hpp"
#include "a3c/learning/learning.hpp"
#include "a3c/rollout.hpp"
#include "a3c/sharing/optimizer.hpp"

namespace tenfold::a3c {

class Synchronous final : public Learning {
 public:
  Synchronous(const Config& config, train::RunContext& context);
  std::uint64_t step(train::RunContext& context) override;

 private:
  std::int64_t roll_out();
  void update(train::RunContext& context, std::int64_t decisions);

  OptimizerOptions optimizer_;
  RolloutWorker worker_;
  GradientGate gate_;
  at::Tensor gradients_;  ///< [reducer.groups(), P]
  at::Tensor one_, mean_;
};

}  // namespace tenfold::a3c
