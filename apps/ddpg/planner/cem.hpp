// Model-predictive control by the cross-entropy method (Rubinstein and Kroese 2004).
#pragma once

#include <vector>

#include "ddpg/planner/planner.hpp"

namespace tenfold::ddpg {

/// Plans are drawn from a normal distribution per action, whose mean and spread are refitted to the
/// best of them; the mean moves on from one decision to the next, the spread starts anew. The mean
/// itself is one of the plans. The first action of the best plan found is taken.
class CemPlanner final : public Planner {
 public:
  CemPlanner(const PlannerOptions& options, const SimulationFactory& simulations);
  std::size_t memory_size() const override { return size_; }
  void begin(std::span<double> memory) const override;
  void decide(std::span<const double> state, base::Stream& stream, std::span<double> memory,
              std::span<float> action) override;

 private:
  void draw(base::Stream& stream, std::span<const double> mean);
  void evaluate(std::span<const double> state);
  void refit(std::span<double> mean);

  PlannerOptions options_;
  std::unique_ptr<Simulation> simulation_;
  std::size_t width_, size_, elite_;  ///< numbers of an action, of a plan; plans of the elite
  std::vector<float> plans_;          ///< [samples, lookahead, width]
  std::vector<float> actions_;        ///< [samples, width]
  std::vector<double> spread_, noise_, costs_, totals_;
  std::vector<std::size_t> order_;
};

}  // namespace tenfold::ddpg
