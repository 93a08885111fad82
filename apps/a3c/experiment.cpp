#include "a3c/experiment.hpp"

#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "a3c/learning/schedules.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace tenfold::a3c {

namespace {

void declare_metrics(train::Metrics& metrics) {
  metrics.declare_rank0("eval/return", "reward", "mean return of an episode", "max");
  metrics.declare_rank0("eval/return_std", "reward",
                        "standard deviation of the return over episodes");
  metrics.declare_rank0("eval/length", "decisions", "mean length of an episode");
  metrics.declare_rank0("eval/random_return", "reward", "mean return of uniform random actions");
  metrics.headline({"eval/return", "train/episode_return", "async/staleness"});
}

// Ranks that wait for a core hold gradients of parameters that others have long moved. Collective.
void warn_of_cores(const comm::Communicator& world) {
  const auto cores = static_cast<std::int32_t>(std::thread::hardware_concurrency());
  const std::int32_t ranks = world.all_reduce(std::int32_t{world.node().size()}, comm::Op::kMax);
  const std::int32_t fewest = world.all_reduce(cores, comm::Op::kMin);
  if (!world.is_root()) return;
  if (world.size() == 1) {
    base::log_info("one rank: actors take turns, nothing is asynchronous");
  } else if (ranks > fewest) {
    base::log_warning(
        "{} ranks share {} cores: a rank that waits for one applies a gradient of old parameters "
        "(async/staleness_histogram); count updates, not seconds",
        ranks, fewest);
  }
}

struct Moments {
  double mean = 0, deviation = 0, length = 0;
};

Moments moments(const std::vector<EpisodeResult>& episodes) {
  const auto count = static_cast<double>(episodes.size());
  Moments result;
  for (const EpisodeResult& each : episodes) {
    result.mean += each.episode_return / count;
    result.length += each.length / count;
  }
  for (const EpisodeResult& each : episodes) {
    result.deviation += (each.episode_return - result.mean) * (each.episode_return - result.mean);
  }
  result.deviation = std::sqrt(result.deviation / count);
  return result;
}

}  // namespace

void Experiment::build(train::RunContext& context) {
  // RMSProp's squares of inputs that are never seen shrink until they are denormal, where every
  // operation costs a hundred times as much.
  at::globalContext().setFlushDenormal(true);
  config_.lr = first_learning_rate(config_, context.seed);
  if (!config_.lr_range.empty()) context.facts["learning_rate"] = fmt::format("{:.6g}", config_.lr);
  declare_metrics(*context.metrics);
  declare_learning_metrics(config_, *context.metrics);
  learning_ = make_learning(config_, context);
  evaluator_ = std::make_unique<Evaluator>(config_, learning_->networks(), context);
  for (const std::string& name : evaluator_->fact_names()) {
    context.metrics->declare_rank0("eval/" + name, "", "the task's own, mean over episodes");
  }
  human_ = reference_scores(evaluator_->task().name);
  if (human_) {
    context.metrics->declare_rank0("eval/human_normalised", "",
                                   "eval/return, 0 as random play and 1 as a human tester "
                                   "(data/atari57_scores.csv)",
                                   "max");
  }
}

std::uint64_t Experiment::step(train::RunContext& context) {
  if (!begun_) warn_of_cores(context.world);
  begun_ = true;
  return learning_->step(context);
}

void Experiment::state(store::StateRegistry& registry) {
  std::string net;
  for (const std::int64_t width : config_.net)
    net += (net.empty() ? "" : "x") + std::to_string(width);
  registry.experiment("learning");
  registry.identity("task", config_.task);
  if (!config_.settings.empty()) registry.identity("settings", config_.settings);
  registry.identity("method", config_.method);
  registry.identity("net", net);
  registry.identity("conv", config_.conv);
  registry.identity("lstm", std::to_string(config_.lstm));
  registry.identity("optimizer", config_.optimizer);
  registry.identity("envs_per_actor", std::to_string(config_.envs_per_actor));
  learning_->state(registry);
  registry.replicated("progress/random_return", &random_return_);
  registry.replicated("progress/last_return", &last_return_);
  registry.replicated("progress/best_return", &best_return_);
  registry.replicated("progress/evaluations", &evaluations_);
}

void Experiment::evaluate(train::RunContext& context) {
  train::Metrics& metrics = *context.metrics;
  if (evaluations_ == 0) {
    random_return_ = moments(evaluator_->run(learning_->parameters(), 0, true).episodes).mean;
    metrics.row("eval/random_return", context.step, {random_return_});
  }
  const EvaluationResult result = evaluator_->run(learning_->parameters(), evaluations_ + 1, false);
  const Moments found = moments(result.episodes);
  metrics.row("eval/return", context.step, {found.mean});
  metrics.row("eval/return_std", context.step, {found.deviation});
  metrics.row("eval/length", context.step, {found.length});
  if (human_) metrics.row("eval/human_normalised", context.step, {human_->normalised(found.mean)});
  for (std::size_t i = 0; i < result.facts.size(); ++i) {
    if (std::isnan(result.facts[i])) continue;
    metrics.row("eval/" + evaluator_->fact_names()[i], context.step, {result.facts[i]});
  }
  best_return_ = evaluations_ == 0 ? found.mean : std::max(best_return_, found.mean);
  last_return_ = found.mean;
  ++evaluations_;
}

std::string Experiment::summary(train::RunContext& context) {
  return fmt::format(
      "{}, {}: return {:.2f} at the end, {:.2f} at best; random actions get {:.2f} "
      "(mean of {} episodes, {} updates, seed {})",
      config_.task, config_.method, last_return_, best_return_, random_return_,
      config_.eval_episodes, learning_->updates(), context.seed);
}

}  // namespace tenfold::a3c
