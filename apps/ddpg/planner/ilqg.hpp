// Model-predictive control by iLQG with control limits (Todorov and Li 2005; Tassa et al. 2012,
// 2014), as the paper's planner: one iteration per decision, from the true state, on the plan
// of the decision before.
#pragma once

#include <vector>

#include "ddpg/planner/backward.hpp"
#include "ddpg/planner/expansion.hpp"
#include "ddpg/planner/planner.hpp"

namespace tenfold::ddpg {

/// One iteration: expansion along the path that the plan leads to, backward pass, then plans for
/// several lengths of the step, simulated with feedback; the cheapest is taken if it is cheaper
/// than the plan was. mu falls by a factor that grows when it is, and rises, for another try with
/// the same expansion, when it is not.
class IlqgPlanner final : public Planner {
 public:
  /// Throws Code::kUsage when states cannot be moved.
  IlqgPlanner(const PlannerOptions& options, const SimulationFactory& simulations);
  std::size_t memory_size() const override { return size_ + 2; }
  void begin(std::span<double> memory) const override;
  void decide(std::span<const double> state, base::Stream& stream, std::span<double> memory,
              std::span<float> action) override;
  /// Of the last iteration, [decisions until the plan ends], for tests.
  std::span<const Gains> gains() const { return {gains_.data(), length_}; }

 private:
  void follow_plan(std::span<const double> state);
  bool improve(std::span<const double> state);
  double search(std::span<const double> state);
  void act_with_feedback(std::size_t t, std::span<const double> lengths);
  void raise_mu();
  void lower_mu();

  std::int64_t iterations_;
  std::size_t lookahead_, width_, size_;
  Expander expander_;
  std::unique_ptr<Simulation> nominal_, searches_;
  std::size_t length_ = 0;  ///< decisions of the path that are inside the episode
  double mu_ = 0, factor_ = 1, cost_ = 0;
  std::vector<float> plan_;      ///< [lookahead, m]
  std::vector<double> states_;   ///< [lookahead, state] in which the plan's actions are taken
  std::vector<Expansion> path_;  ///< [lookahead]
  std::vector<Gains> gains_;     ///< [lookahead]
  std::vector<float> tried_, actions_;
  std::vector<double> totals_, costs_, now_, tangent_;
};

}  // namespace tenfold::ddpg
