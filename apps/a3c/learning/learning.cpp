#include "a3c/learning/learning.hpp"

#include <ATen/ops/zeros_like.h>

#include <array>
#include <cmath>

#include "a3c/learning/asynchronous.hpp"
#include "a3c/learning/schedules.hpp"
#include "a3c/learning/synchronous.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "comm/fault.hpp"
#include "comm/signals.hpp"
#include "train/flat_adam.hpp"

namespace tenfold::a3c {

namespace {

bool has_own_statistics(const Config& config) {
  return config.optimizer != "shared-rmsprop";
}

}  // namespace

void declare_learning_metrics(const Config& config, train::Metrics& metrics) {
  const auto mean = [&](const char* name, const char* unit, const char* description,
                        const char* better = "") {
    metrics.declare({name, unit, description, "mean", better});
  };
  const auto sum = [&](const char* name, const char* unit, const char* description) {
    metrics.declare({name, unit, description, "sum", ""});
  };
  mean("train/episode_return", "reward", "return of training episodes, with exploration", "max");
  mean("train/episode_length", "decisions", "length of training episodes");
  mean("train/squared_error", "reward^2", "of V, or Q, against the return that it learns");
  mean("train/value", "reward", "mean of V, or of Q of the action taken");
  if (config.method == "a3c") {
    mean("train/entropy", "nat", "mean entropy of the policy");
  } else {
    mean("train/epsilon", "", "mean exploration rate of the actors");
    metrics.declare_rank0("train/target_copies", "copies", "of the target network so far");
  }
  mean("train/grad_norm", "", "norm of an update's gradient before it is bounded");
  mean("train/clipped", "fraction", "updates whose gradient was bounded");
  mean("train/learning_rate", "", "step size");
  metrics.declare_rank0("train/updates", "updates", "so far");
  sum("train/unstable_episodes", "episodes",
      "cut for unstable physics, or a task's rewards or "
      "observations that are no numbers");
  sum("perf/decisions_per_second", "1/s", "decisions of all ranks, each by its own time in blocks");
  mean("async/wait", "fraction", "of a rank's time, waiting for others after a block", "min");
  if (config.update != "sync") {
    mean("async/staleness", "updates",
         "updates by others between reading the parameters and applying the gradient");
    metrics.declare_rank0("async/staleness_histogram", "updates",
                          "how often it was 0, 1, 2, 3-4, 5-8, ... 65+", {},
                          StalenessHistogram::kBins);
  }
}

Learning::Learning(const Config& config, train::RunContext& context)
    : config_(config),
      spec_(make_envs(config, 1)->spec()),
      networks_(config, spec_, context.device.device),
      actors_(config, context.shards, context.seed, networks_.state_size(),
              has_own_statistics(config) ? networks_.layout().flat_size() : 0),
      optimizer_{optimizer_kind(config.optimizer), config.rms_alpha, config.rms_eps},
      worker_(config, networks_, spec_, context.device.device),
      gate_(networks_.layout(), config.clip, context.optimizer.skip_nonfinite) {
  parameters_ = networks_.initial_parameters(context.seed);
  statistics_ = at::zeros_like(parameters_);
  target_ = parameters_.clone();
}

void Learning::state(store::StateRegistry& registry) {
  train::register_flat(registry, "model", parameters_, networks_.layout());
  if (networks_.head() == Head::kQ) {
    train::register_flat(registry, "target", target_, networks_.layout());
  }
  if (!has_own_statistics(config_)) {
    train::register_flat(registry, "optimizer/squares", statistics_, networks_.layout());
  }
  registry.replicated("progress/decisions", &decisions_);
  registry.replicated("progress/updates", &updates_);
  registry.replicated("progress/target_copies", &copies_);
  actors_.state(registry);
}

bool Learning::signalled() {
  return (comm::stop_bits() & (comm::kStopInterrupt | comm::kStopTerminate | comm::kStopUser2 |
                               comm::kCheckpointUser1)) != 0;
}

std::int64_t Learning::roll_out(Actor& actor, std::int64_t decisions, const at::Tensor& gradient) {
  const double epsilon = exploration(config_, actor.final_epsilon(), decisions);
  comm::fault_point("actor.rollout");
  const std::int64_t count = worker_.run(actor, {parameters_, target_, epsilon}, gradient, tally_);
  comm::fault_point("actor.gradient");
  if (comm::fault_here("nan", "actor.gradient")) gradient.fill_(std::nan(""));
  return count;
}

void Learning::refuse(const Actor& actor, const at::Tensor& gradient) {
  gate_.refuse(gradient, fmt::format("actor {}, decision {}", actor.number(), actor.decisions),
               tally_);
}

void Learning::report_lost(train::RunContext& context) {
  const std::int64_t lost = context.world.all_reduce(actors_.take_lost(), comm::Op::kSum);
  if (lost == 0) return;
  const std::string text = fmt::format(
      "{} episodes could not be brought back and began anew: this run does not end with the bits "
      "of an unbroken one",
      lost);
  context.metrics->event(context.step, "episodes lost", text);
  if (context.world.is_root()) base::log_warning("{}: {}", config_.task, text);
}

void Learning::publish(train::RunContext& context, std::uint64_t step, double block_seconds,
                       double wait_seconds) {
  train::Metrics& metrics = *context.metrics;
  Tally& tally = tally_;
  for (const Tally::Episode& each : tally.episodes) {
    metrics.add("train/episode_return", each.episode_return);
    metrics.add("train/episode_length", each.length);
  }
  const auto per = [&](const char* name, double value, double count) {
    if (count > 0) metrics.add(name, value / count);
  };
  per("train/squared_error", tally.squared_error, tally.decisions);
  per("train/value", tally.values, tally.decisions);
  if (config_.method == "a3c") {
    per("train/entropy", tally.entropy, tally.decisions);
  } else {
    per("train/epsilon", tally.epsilon, tally.rollouts);
    metrics.row("train/target_copies", step, {static_cast<double>(copies_)});
  }
  per("train/grad_norm", tally.gradient_norm, tally.updates);
  per("train/clipped", tally.clipped, tally.updates);
  per("train/learning_rate", tally.learning_rate, tally.updates);
  metrics.add("train/unstable_episodes", tally.unstable);
  if (tally.skipped > 0) metrics.add("train/skipped_updates", tally.skipped);
  metrics.row("train/updates", step, {static_cast<double>(updates_)});
  per("perf/decisions_per_second", tally.decisions, block_seconds);
  per("async/wait", wait_seconds, block_seconds + wait_seconds);
  if (config_.update != "sync") {
    per("async/staleness", tally.staleness.sum(), tally.updates);
    std::array<double, StalenessHistogram::kBins>& counts = tally.staleness.counts();
    context.world.all_reduce(std::span<double>(counts), comm::Op::kSum);
    metrics.row("async/staleness_histogram", step, {counts.begin(), counts.end()});
  }
  tally = Tally();
}

std::unique_ptr<Learning> make_learning(const Config& config, train::RunContext& context) {
  if (context.optimizer.zero1) {
    throw base::Error(base::Code::kUsage, "--zero 1 does not work with a3c",
                      "Its ranks share one copy of the optimizer's state already");
  }
  if (config.update == "sync") return std::make_unique<Synchronous>(config, context);
  return std::make_unique<Asynchronous>(config, context);
}

}  // namespace tenfold::a3c
