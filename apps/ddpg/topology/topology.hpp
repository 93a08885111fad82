// Which ranks act, which learn, and how they keep in step.
#pragma once

#include <cstdint>
#include <memory>

#include "ddpg/agent.hpp"
#include "ddpg/config.hpp"
#include "ddpg/memory.hpp"
#include "ddpg/observer.hpp"
#include "store/state_registry.hpp"
#include "train/experiment.hpp"

namespace tenfold::ddpg {

/// Every topology names the same state, so a run may go on with another one.
class Topology {
 public:
  virtual ~Topology() = default;
  virtual void state(store::StateRegistry& registry) = 0;
  /// Acts and learns for as many decisions as it returns, which all ranks know beforehand. Nothing
  /// is on its way between ranks before and after it. Collective.
  virtual std::uint64_t step(train::RunContext& context) = 0;
  /// Brings agent() up to date on every rank. Collective.
  virtual void settle() {}
  virtual Agent& agent() = 0;
  virtual const Observer& observer() const = 0;
  const env::Spec& spec() const { return observer().spec(); }
  /// How evaluations are spread over the ranks.
  virtual train::RunContext& evaluation() = 0;
};

/// How many of so many ranks learn (AppHooks::learners). Throws Code::kUsage when the ranks cannot
/// be split as asked for.
int learning_ranks(const Config& config, int ranks);

void declare_topology_metrics(const Config& config, train::Metrics& metrics);

/// Makes environments, networks and memory of this rank. No collective calls.
std::unique_ptr<Topology> make_topology(const Config& config, train::RunContext& context);

/// Ends the job for what some ranks agreed on, or one alone, and the others do not hear of: throws
/// it as an error of this rank. Ranks that fail together would all say so: all but one give so many
/// seconds, in which that one ends them.
[[noreturn]] void end_job(const comm::AgreedError& error, int patience_s);

/// One update on a new minibatch of rows transitions per shard, with its metrics. progress goes
/// from 0 to 1 over the run. Collective over the ranks of context.reducer.
void update_once(Agent& agent, Memory& memory, std::int64_t rows, double progress,
                 train::RunContext& context);

}  // namespace tenfold::ddpg
