#include "ddpg/topology/symmetric.hpp"

namespace tenfold::ddpg {

Symmetric::Symmetric(const Config& config, train::RunContext& context)
    : config_(config),
      context_(context),
      rows_(config.rows_per_shard(static_cast<std::int64_t>(context.shards.shards))),
      rollout_(config, context),
      agent_(config, observer().shape(), static_cast<std::int64_t>(spec().action_size), context,
             rows_, config.envs_per_shard) {}

void Symmetric::state(store::StateRegistry& registry) {
  agent_.state(registry);
  rollout_.state(registry);
  registry.replicated("progress/updates_due", &updates_due_);
}

std::uint64_t Symmetric::step(train::RunContext& context) {
  rollout_.step(agent_, context.step);
  const std::uint64_t decisions = rollout_.decisions();
  Memory& memory = rollout_.memory();
  // Every rank counts the same: updates are never decided by one rank's own memory, or ranks that
  // disagree would wait for each other for ever.
  const bool warm = context.step >= static_cast<std::uint64_t>(config_.start_steps) &&
                    memory.transitions_per_shard() >= memory.transitions_wanted(rows_);
  if (warm) {
    const double progress =
        static_cast<double>(context.step) / static_cast<double>(config_.total_steps);
    updates_due_ += config_.updates_per_step * static_cast<double>(decisions);
    for (; updates_due_ >= 1; updates_due_ -= 1) {
      update_once(agent_, memory, rows_, progress, context);
    }
  }
  context.metrics->add("train/replay_fill", static_cast<double>(memory.held(0)));
  return decisions;
}

}  // namespace tenfold::ddpg
