// A2C: gradients of all actors are averaged, every rank takes the same step.
#pragma once

#include "a3c/learning/learning.hpp"

namespace tenfold::a3c {

class Synchronous final : public Learning {
 public:
  Synchronous(const Config& config, train::RunContext& context);
  std::uint64_t step(train::RunContext& context) override;

 private:
  std::int64_t roll_out_all();
  void update(train::RunContext& context, std::int64_t decisions);

  at::Tensor gradients_;  ///< [reducer.groups(), P]
  at::Tensor one_, mean_;
};

}  // namespace tenfold::a3c
