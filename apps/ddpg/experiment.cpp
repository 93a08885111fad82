#include "ddpg/experiment.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "ddpg/planner/reference.hpp"

namespace tenfold::ddpg {

namespace {

void declare_metrics(train::Metrics& metrics, bool scores) {
  metrics.declare_rank0("eval/return", "reward", "mean return of an episode without noise", "max");
  metrics.declare_rank0("eval/return_std", "reward",
                        "standard deviation of the return over episodes");
  if (scores) {
    metrics.declare_rank0("eval/score", "",
                          "eval/return, 0: random actions, 1: a planner that knows the dynamics",
                          "max");
  }
  metrics.declare_rank0("eval/length", "decisions", "mean length of an episode without noise");
  metrics.declare_rank0("eval/random_return", "reward", "mean return of uniform random actions");
  metrics.declare_rank0("eval/q_estimate", "reward", "mean estimate of Q(s, mu(s)) in states met");
  metrics.declare_rank0("eval/q_vs_return", "reward",
                        "Q's estimate and the discounted return that followed", "", 2);
  metrics.declare_rank0("eval/q_slope", "",
                        "slope of Q's estimates over the discounted returns, Huber's fit");
  metrics.declare_rank0("eval/q_bias", "reward",
                        "mean of Q's estimate minus the discounted return");
  const auto mean = [&](const char* name, const char* unit, const char* description,
                        const char* better = "") {
    metrics.declare({name, unit, description, "mean", better});
  };
  mean("train/episode_return", "reward", "return of training episodes, with noise", "max");
  mean("train/episode_length", "decisions", "length of training episodes");
  mean("train/critic_loss", "reward^2", "mean squared error of Q against its target");
  mean("train/q_mean", "reward", "mean Q over minibatches");
  mean("train/actor_grad_norm", "", "norm of the actor's gradient");
  mean("train/critic_grad_norm", "", "norm of the critic's gradient");
  mean("train/saturation", "fraction", "actions of mu beyond 0.99 in minibatches");
  mean("train/pretanh", "", "mean magnitude of mu's outputs before their tanh, in minibatches");
  mean("perf/update_mean_seconds", "s", "an update, mean over ranks", "min");
  mean("perf/reduce_seconds", "s", "of an update, waiting for other ranks' gradients", "min");
  mean("train/replay_fill", "transitions", "transitions in one shard's replay memory");
  metrics.declare({"train/updates", "updates", "updates so far", "max", ""});
  metrics.declare(
      {"train/unstable_episodes", "episodes", "episodes cut for unstable physics", "sum", "min"});
  metrics.declare({"perf/update_seconds", "s", "slowest update of any rank", "max", "min"});
  metrics.headline({"eval/return", "train/episode_return", "train/critic_loss"});
}

}  // namespace

void Experiment::build(train::RunContext& context) {
  if (context.device.device.is_cuda()) {
    throw base::Error(base::Code::kUsage,
                      "--device cuda: ddpg's networks are computed on the host only so far",
                      "Use --device cpu");
  }
  declare_metrics(*context.metrics, config_.normalise != "none");
  declare_topology_metrics(config_, *context.metrics);
  topology_ = make_topology(config_, context);
  evaluator_ = std::make_unique<Evaluator>(config_, topology_->agent(), topology_->evaluation());
  if (config_.obs == "pixels") context.facts["render.backend"] = topology_->observer().backend();
  look_up_reference(context);
  if (context.optimizer.zero1) {
    base::log_info("ZeRO-1: optimizers take {} on this rank",
                   base::human_bytes(static_cast<double>(topology_->agent().optimizer_bytes())));
  }
}

void Experiment::look_up_reference(const train::RunContext& context) {
  reference_.problem = "--normalise none";
  if (config_.normalise == "none" || !context.world.is_root()) return;
  reference_ = load_reference(config_, topology_->spec());
  if (!reference_.problem.empty()) {
    const std::string note =
        fmt::format("no normalised scores, eval/score stays NaN: {}", reference_.problem);
    // Nobody asked for the scores of a task that is not in the shipped file.
    base::log_line(config_.normalise == "auto" ? base::LogLevel::kInfo : base::LogLevel::kWarning,
                   note);
  }
}

void Experiment::state(store::StateRegistry& registry) {
  const auto widths = [](const std::vector<std::int64_t>& net) {
    std::string text;
    for (const std::int64_t width : net) text += (text.empty() ? "" : "x") + std::to_string(width);
    return text;
  };
  registry.experiment("learning");
  registry.identity("task", config_.task);
  if (config_.obs != "lowdim") {
    registry.identity("obs", fmt::format("{}, {} wide", config_.obs, config_.pixel_size));
  }
  registry.identity("actor_net", widths(config_.actor_net));
  registry.identity("critic_net", widths(config_.critic_net));
  registry.identity("action_layer", std::to_string(config_.action_layer));
  registry.identity("batch_norm", config_.batch_norm);
  if (config_.layer_norm) registry.identity("layer_norm", "true");
  registry.identity("envs_per_shard", std::to_string(config_.envs_per_shard));
  registry.identity("replay", std::to_string(config_.replay));
  if (config_.sampling != "uniform") registry.identity("sampling", config_.sampling);
  // Memories that were begun with 1 may not say where time limits ended episodes.
  if (config_.n_step != 1) registry.identity("n_step", std::to_string(config_.n_step));
  if (config_.replay_checkpoint == "none") {
    registry.identity("replay_checkpoint", config_.replay_checkpoint);
  }
  topology_->state(registry);
  registry.replicated("progress/random_return", &random_return_);
  registry.replicated("progress/last_return", &last_return_);
  registry.replicated("progress/best_return", &best_return_);
  registry.replicated("progress/evaluations", &evaluations_);
}

std::uint64_t Experiment::step(train::RunContext& context) {
  return topology_->step(context);
}

void Experiment::evaluate(train::RunContext& context) {
  train::Metrics& metrics = *context.metrics;
  topology_->settle();
  const Agent& agent = topology_->agent();
  const auto mean_return = [](const EvaluationResult& result) {
    double sum = 0;
    for (const EpisodeResult& each : result.episodes) sum += each.episode_return;
    return sum / static_cast<double>(result.episodes.size());
  };
  if (evaluations_ == 0) {
    random_return_ = mean_return(evaluator_->run(agent, 0, true));
    metrics.row("eval/random_return", context.step, {random_return_});
  }
  const EvaluationResult result = evaluator_->run(agent, evaluations_ + 1, false);
  const auto count = static_cast<double>(result.episodes.size());
  const double mean = mean_return(result);
  double squares = 0, length = 0;
  for (const EpisodeResult& each : result.episodes) {
    squares += (each.episode_return - mean) * (each.episode_return - mean);
    length += each.length;
  }
  for (const Calibration& each : result.calibration) {
    metrics.row("eval/q_vs_return", context.step, {each.estimated, each.returned});
  }
  metrics.row("eval/return", context.step, {mean});
  metrics.row("eval/return_std", context.step, {std::sqrt(squares / count)});
  if (config_.normalise != "none") {
    metrics.row("eval/score", context.step, {reference_.score(mean)});
  }
  metrics.row("eval/length", context.step, {length / count});
  const CalibrationFit fit = fit_calibration(result.calibration);
  const auto known = [&](const char* name, double value) {
    if (!std::isnan(value)) metrics.row(name, context.step, {value});
  };
  known("eval/q_estimate", fit.estimated);
  known("eval/q_slope", fit.slope);
  known("eval/q_bias", fit.bias);
  best_return_ = evaluations_ == 0 ? mean : std::max(best_return_, mean);
  last_return_ = mean;
  ++evaluations_;
  diagnose(context, fit);
}

void Experiment::diagnose(train::RunContext& context, const CalibrationFit& fit) {
  if (!context.world.is_root()) return;
  const env::Spec& spec = topology_->spec();
  const double reward = std::max(std::abs(spec.least_reward), std::abs(spec.most_reward));
  const std::vector<std::string> found =
      diagnosis_.look({.saturation = context.metrics->last("train/saturation"),
                       .pretanh = context.metrics->last("train/pretanh"),
                       .fit = fit,
                       .largest_return = config_.reward_scale * reward / (1 - config_.gamma),
                       .learning = topology_->agent().updates() > 0});
  for (const std::string& each : found) {
    base::log_warning("at {} decisions: {}", context.step, each);
    context.metrics->event(context.step, "warning", each);
  }
}

std::string Experiment::summary(train::RunContext& context) {
  std::string text = fmt::format(
      "{}: return {:.1f} at the end, {:.1f} at best; random actions get {:.1f} "
      "(mean of {} episodes, {} updates, seed {})",
      config_.task, last_return_, best_return_, random_return_, config_.eval_episodes,
      topology_->agent().updates(), context.seed);
  if (reference_.problem.empty()) {
    text += fmt::format("; score {:.3f} (0: random actions, {:.1f}; 1: planner {}, {:.1f})",
                        reference_.score(last_return_), reference_.random, reference_.method,
                        reference_.planner);
  }
  return text;
}

}  // namespace tenfold::ddpg
