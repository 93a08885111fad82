#include "ddpg/topology/topology.hpp"

#include <chrono>
#include <cmath>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "ddpg/topology/actors.hpp"
#include "ddpg/topology/async.hpp"
#include "ddpg/topology/symmetric.hpp"

namespace tenfold::ddpg {

using base::Code;
using base::Error;

int learning_ranks(const Config& config, int ranks) {
  if (config.topology != "actors") return ranks;
  if (ranks < 2) {
    throw Error(Code::kUsage, "--topology actors needs a rank that learns and one that acts",
                "Start at least 2 ranks (mpirun -n 2 ...), or use --topology symmetric");
  }
  if (config.learners >= ranks) {
    throw Error(
        Code::kUsage,
        fmt::format("--learners {} of {} ranks leaves none that acts", config.learners, ranks),
        fmt::format("Use --learners 1 to {}, or start more ranks", ranks - 1));
  }
  return static_cast<int>(config.learners);
}

void declare_topology_metrics(const Config& config, train::Metrics& metrics) {
  if (config.topology == "symmetric") return;
  const auto mean = [&](const char* name, const char* unit, const char* description,
                        const char* better = "") {
    metrics.declare({name, unit, description, "mean", better});
  };
  if (config.topology == "async") {
    mean("topology/staleness_updates", "updates",
         "updates by other ranks between the copy that a gradient is of and its application");
    mean("topology/block_wait", "fraction", "of a rank's time, waiting for others after a block",
         "min");
    return;
  }
  mean("topology/staleness_updates", "updates",
       "how much older an action's parameters were than the learners' when its block came in");
  mean("topology/staleness_seconds", "s", "the same, since those parameters were sent");
  mean("topology/acting_wait", "fraction", "of an acting rank's time, waiting for updates", "min");
  mean("topology/learning_wait", "fraction", "of a learning rank's time, waiting for transitions",
       "min");
  mean("topology/updates_per_step", "updates", "updates for each decision after the warm-up");
  metrics.declare({"topology/blocks", "blocks", "blocks of transitions received", "sum", ""});
  metrics.declare({"topology/backlog", "updates", "most updates that were due at once", "max", ""});
}

std::unique_ptr<Topology> make_topology(const Config& config, train::RunContext& context) {
  if (config.topology == "actors") return std::make_unique<Actors>(config, context);
  if (config.topology == "async") return std::make_unique<Async>(config, context);
  return std::make_unique<Symmetric>(config, context);
}

void end_job(const comm::AgreedError& error, int patience_s) {
  std::this_thread::sleep_for(std::chrono::seconds(patience_s));
  throw Error(error.code(), error.message(), error.hint());
}

void update_once(Agent& agent, Memory& memory, std::int64_t rows, double progress,
                 train::RunContext& context) {
  const base::Stopwatch watch;
  memory.sample(agent.batch(), rows, static_cast<std::uint64_t>(agent.updates()), progress);
  const UpdateStatistics statistics = agent.update();
  memory.update_priorities(agent.batch());
  train::Metrics& metrics = *context.metrics;
  if (std::isfinite(statistics.critic_gradient_norm)) {
    metrics.add("train/critic_loss", statistics.critic_loss);
    metrics.add("train/q_mean", statistics.q_mean);
  }
  const auto add_known = [&](const char* name, double value) {
    if (std::isfinite(value)) metrics.add(name, value);  // not of a skipped update
  };
  add_known("train/actor_grad_norm", statistics.actor_gradient_norm);
  add_known("train/critic_grad_norm", statistics.critic_gradient_norm);
  add_known("train/saturation", statistics.saturation);
  add_known("train/pretanh", statistics.pretanh);
  metrics.add("train/updates", static_cast<double>(agent.updates()));
  metrics.add("perf/update_seconds", watch.seconds());
  metrics.add("perf/update_mean_seconds", watch.seconds());
  metrics.add("perf/reduce_seconds", context.reducer->take_seconds());
}

}  // namespace tenfold::ddpg
