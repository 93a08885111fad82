// How the gradients of all actors come together.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "a3c/actor.hpp"
#include "a3c/learning/gradient_gate.hpp"
#include "a3c/networks.hpp"
#include "a3c/rollout.hpp"
#include "a3c/sharing/optimizer.hpp"
#include "a3c/tally.hpp"
#include "store/state_registry.hpp"
#include "train/experiment.hpp"

namespace tenfold::a3c {

/// Every way names the same state, so a run may go on with another one.
class Learning {
 public:
  Learning(const Config& config, train::RunContext& context);
  virtual ~Learning() = default;
  Learning(const Learning&) = delete;
  Learning& operator=(const Learning&) = delete;

  void state(store::StateRegistry& registry);
  /// About --block decisions; returns how many, the same on all ranks, which then have the same
  /// parameters. Collective. Errors of one rank are agreed on.
  virtual std::uint64_t step(train::RunContext& context) = 0;

  const Networks& networks() const { return networks_; }
  const at::Tensor& parameters() const { return parameters_; }
  const env::Spec& spec() const { return spec_; }
  std::int64_t updates() const { return updates_; }

 protected:
  /// A signal asks this rank to stop, or for a checkpoint.
  static bool signalled();
  /// Publishes what the ranks counted and empties the tally. Collective.
  void publish(train::RunContext& context, std::uint64_t step, double block_seconds,
               double wait_seconds);
  void report_lost(train::RunContext& context);
  /// A rollout of the actor with parameters_ and target_ and the exploration of that many decisions
  /// of all actors; gradient, float32 [P], gets its gradient. Returns its decisions.
  std::int64_t roll_out(Actor& actor, std::int64_t decisions, const at::Tensor& gradient);
  /// What to do with the actor's gradient, which is not finite: GradientGate::refuse.
  void refuse(const Actor& actor, const at::Tensor& gradient);

  const Config& config_;
  env::Spec spec_;
  Networks networks_;
  ActorGroup actors_;
  /// Checkpoints hold these; what is shared is copied here at the end of each step.
  at::Tensor parameters_, statistics_, target_;
  std::int64_t decisions_ = 0;  ///< T
  std::int64_t updates_ = 0, copies_ = 0;
  Tally tally_;
  OptimizerOptions optimizer_;
  RolloutWorker worker_;
  GradientGate gate_;
};

void declare_learning_metrics(const Config& config, train::Metrics& metrics);

/// Throws Code::kUsage for options that do not go together with each other or the task.
std::unique_ptr<Learning> make_learning(const Config& config, train::RunContext& context);

}  // namespace tenfold::a3c
