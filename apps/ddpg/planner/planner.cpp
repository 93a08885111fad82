#include "ddpg/planner/planner.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "ddpg/planner/cem.hpp"
#include "ddpg/planner/ilqg.hpp"

namespace tenfold::ddpg {

std::unique_ptr<Planner> make_planner(const PlannerOptions& options,
                                      const SimulationFactory& simulations) {
  if (options.method == "cem") return std::make_unique<CemPlanner>(options, simulations);
  base::require(options.method == "ilqg", "make_planner: unknown method");
  return std::make_unique<IlqgPlanner>(options, simulations);
}

void move_on(std::span<double> plan, std::size_t width) {
  const auto step = static_cast<std::ptrdiff_t>(width);
  std::copy(plan.begin() + step, plan.end(), plan.begin());
  std::fill(plan.end() - step, plan.end(), 0.0);
}

}  // namespace tenfold::ddpg
