// A planner: knows the dynamics, looks a short time ahead from the true state, gives one action.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/philox.hpp"
#include "ddpg/planner/simulation.hpp"

namespace tenfold::ddpg {

struct PlannerOptions {
  std::string method = "ilqg";  ///< "ilqg" or "cem"
  std::size_t lookahead = 15;   ///< decisions
  std::int64_t iterations = 0;  ///< per decision; 0: the method's own (ilqg 1, cem 2)
  std::size_t samples = 40;     ///< cem: plans per iteration
  double elite = 0.2;           ///< cem: fraction of them that the next ones are drawn around
  double smoothing = 0.1;       ///< cem: weight of the old mean and spread in the new ones
  double correlation = 0.6;     ///< cem: of a plan's noise from one decision to the next
};

/// Model-predictive control. Works on simulations of its own and never touches the environments
/// whose states it is given.
class Planner {
 public:
  virtual ~Planner() = default;
  /// Doubles that an episode's plan takes between decisions.
  virtual std::size_t memory_size() const = 0;
  /// The memory of an episode that begins.
  virtual void begin(std::span<double> memory) const = 0;
  /// The action to take in state. memory holds the plan of the decision before, moved on by one,
  /// and is left so for the next. Nothing else is remembered from call to call.
  virtual void decide(std::span<const double> state, base::Stream& stream, std::span<double> memory,
                      std::span<float> action) = 0;
};

/// Throws Code::kUsage when the method cannot plan for these simulations.
std::unique_ptr<Planner> make_planner(const PlannerOptions& options,
                                      const SimulationFactory& simulations);

/// Drops a plan's first action [decisions, width] and appends an action of zeros.
void move_on(std::span<double> plan, std::size_t width);

}  // namespace tenfold::ddpg
