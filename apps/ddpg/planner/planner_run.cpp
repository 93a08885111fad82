#include "ddpg/planner/planner_run.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "ddpg/rollout.hpp"
#include "env/mujoco_model.hpp"
#include "train/provenance.hpp"

namespace tenfold::ddpg {

using base::Purpose;

namespace {

// Streams of episodes: random actions play those of evaluation 0, as in a run that learns.
constexpr std::uint64_t kRandomEvaluation = 0, kPlannerEvaluation = 1;

std::size_t share(std::int64_t episodes, std::size_t shards) {
  return (static_cast<std::size_t>(episodes) + shards - 1) / shards;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double each : values) squares += (each - mean) * (each - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

void declare_metrics(train::Metrics& metrics) {
  metrics.declare_rank0("eval/return", "reward", "mean return of an episode of the planner", "max");
  metrics.declare_rank0("eval/return_std", "reward",
                        "standard deviation of the return over episodes");
  metrics.declare_rank0("eval/length", "decisions", "mean length of an episode of the planner");
  metrics.declare_rank0("eval/random_return", "reward", "mean return of uniform random actions");
  metrics.declare_rank0("planner/episode_return", "reward", "return of each episode of the planner",
                        "max");
  metrics.declare_rank0("planner/cpu_seconds", "s", "mean CPU time of an episode of the planner",
                        "min");
  metrics.declare(
      {"planner/reward", "reward", "reward of a decision of the planner", "mean", "max"});
  metrics.headline({"planner/reward"});
}

}  // namespace

PlannerOptions planner_options(const Config& config, const env::Spec& spec) {
  const double decision = spec.control_dt * static_cast<double>(spec.action_repeat);
  return {config.planner,
          static_cast<std::size_t>(
              std::max<std::int64_t>(1, std::llround(config.planner_lookahead / decision))),
          config.planner_iterations,
          static_cast<std::size_t>(config.planner_samples),
          config.planner_elite,
          config.planner_smoothing,
          config.planner_correlation};
}

std::size_t PlannerRun::episode_of(std::size_t row, std::size_t per_shard) const {
  return context_->shards.mine[row / per_shard] + (row % per_shard) * context_->shards.shards;
}

void PlannerRun::build(train::RunContext& context) {
  context_ = &context;
  declare_metrics(*context.metrics);
  per_shard_ = share(config_.eval_episodes, context.shards.shards);
  random_per_shard_ = share(config_.planner_random_episodes, context.shards.shards);
  rows_ = context.shards.local() * per_shard_;
  envs_ = env::make_env(config_.task, rows_, env_options(config_));
  planner_ = make_planner(planner_options(config_, envs_->spec()), [this](std::size_t rows) {
    return std::make_unique<EnvSimulation>(config_.task, rows, env_options(config_));
  });
  actions_.resize(rows_ * envs_->spec().action_size);
  memory_.resize(rows_ * planner_->memory_size());
  env_state_.resize(rows_ * envs_->state_size());
  returns_.assign(rows_, 0);
  lengths_.assign(rows_, 0);
  cpu_seconds_.assign(rows_, 0);
  live_.resize(rows_);
  begin();
  play_randomly();
}

void PlannerRun::start(std::size_t row) {
  base::Stream stream(context_->seed, Purpose::kEvaluationReset,
                      static_cast<std::uint32_t>(episode_of(row, per_shard_)), kPlannerEvaluation);
  envs_->reset(row, stream);
}

void PlannerRun::begin() {
  const std::size_t size = planner_->memory_size();
  for (std::size_t row = 0; row < rows_; ++row) {
    start(row);
    planner_->begin({memory_.data() + row * size, size});
    live_[row] = episode_of(row, per_shard_) < static_cast<std::size_t>(config_.eval_episodes);
  }
}

void PlannerRun::play_randomly() {
  const std::size_t rows = context_->shards.local() * random_per_shard_;
  random_returns_.assign(rows, 0);
  const auto env = env::make_env(config_.task, 1, env_options(config_));
  std::vector<float> action(env->spec().action_size);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto episode = static_cast<std::uint32_t>(episode_of(row, random_per_shard_));
    if (episode >= static_cast<std::size_t>(config_.planner_random_episodes)) continue;
    base::Stream reset(context_->seed, Purpose::kEvaluationReset, episode, kRandomEvaluation);
    base::Stream draws(context_->seed, Purpose::kPlanner, episode | 0x80000000U, 0);
    env->reset(0, reset);
    do {
      for (float& each : action) each = static_cast<float>(draws.uniform(-1, 1));
      env->step(action);
      random_returns_[row] += env->rewards()[0];
    } while (env->terminal()[0] == 0 && env->truncated()[0] == 0);
  }
}

void PlannerRun::state(store::StateRegistry& registry) {
  const PlannerOptions options = planner_options(config_, envs_->spec());
  registry.experiment("planner");
  registry.identity("task", config_.task);
  registry.identity("planner", fmt::format("{} {} {} {} {} {} {}", options.method,
                                           options.lookahead, options.iterations, options.samples,
                                           options.elite, options.smoothing, options.correlation));
  registry.identity("episodes", std::to_string(config_.eval_episodes));
  registry.identity("horizon", std::to_string(envs_->spec().horizon));
  registry.identity("repeat", std::to_string(envs_->spec().action_repeat));
  const auto per_row = [this](auto* data, std::size_t width) {
    return [this, data, width](std::size_t shard) {
      return data + context_->shards.local_index(shard) * per_shard_ * width;
    };
  };
  const std::size_t state = envs_->state_size(), memory = planner_->memory_size();
  registry.sharded<double>("env/state", {per_shard_, state}, per_row(env_state_.data(), state));
  registry.sharded<double>("planner/memory", {per_shard_, memory}, per_row(memory_.data(), memory));
  registry.sharded<double>("planner/return", {per_shard_}, per_row(returns_.data(), 1));
  registry.sharded<double>("planner/length", {per_shard_}, per_row(lengths_.data(), 1));
  registry.sharded<double>("planner/cpu_seconds", {per_shard_}, per_row(cpu_seconds_.data(), 1));
  registry.sharded<std::uint8_t>("planner/live", {per_shard_}, per_row(live_.data(), 1));
  registry.on_save([this, state] {
    for (std::size_t row = 0; row < rows_; ++row) {
      envs_->save(row, {env_state_.data() + row * state, state});
    }
  });
  registry.on_load([this, state] {
    for (std::size_t row = 0; row < rows_; ++row) {
      envs_->load(row, {env_state_.data() + row * state, state});
    }
  });
}

std::uint64_t PlannerRun::total_steps() const {
  return static_cast<std::uint64_t>(config_.eval_episodes * envs_->spec().horizon);
}

void PlannerRun::decide(std::size_t row, std::uint64_t t) {
  const std::size_t width = envs_->spec().action_size, size = envs_->state_size();
  const std::span<float> action(actions_.data() + row * width, width);
  if (live_[row] == 0) {
    std::fill(action.begin(), action.end(), 0.0F);
    return;
  }
  const double before = base::cpu_now();
  const std::span<double> state(env_state_.data() + row * size, size);
  const std::size_t memory = planner_->memory_size();
  base::Stream stream(context_->seed, Purpose::kPlanner,
                      static_cast<std::uint32_t>(episode_of(row, per_shard_)), t);
  envs_->save(row, state);
  planner_->decide(state, stream, {memory_.data() + row * memory, memory}, action);
  cpu_seconds_[row] += base::cpu_now() - before;
}

void PlannerRun::store_rewards() {
  for (std::size_t row = 0; row < rows_; ++row) {
    const bool over = envs_->terminal()[row] != 0 || envs_->truncated()[row] != 0;
    if (live_[row] != 0) {
      const double reward = envs_->rewards()[row];
      returns_[row] += reward;
      lengths_[row] += 1;
      context_->metrics->add("planner/reward", reward);
      live_[row] = !over;
    }
    // An episode that is over still has to be stepped with the others.
    if (over) start(row);
  }
}

std::uint64_t PlannerRun::step(train::RunContext& context) {
  const auto episodes = static_cast<std::uint64_t>(config_.eval_episodes);
  for (std::size_t row = 0; row < rows_; ++row) decide(row, context.step / episodes);
  envs_->step(actions_);
  store_rewards();
  return episodes;
}

PlannerRun::Played PlannerRun::gather() const {
  const auto all = [this](const std::vector<double>& mine, std::size_t per_shard,
                          std::int64_t episodes) {
    // Every number is filled in by one rank only, so the sum over ranks is exact.
    std::vector<double> values(static_cast<std::size_t>(episodes), 0.0);
    for (std::size_t row = 0; row < mine.size(); ++row) {
      const std::size_t episode = episode_of(row, per_shard);
      if (episode < values.size()) values[episode] = mine[row];
    }
    context_->world.all_reduce(std::span<double>(values), comm::Op::kSum);
    return values;
  };
  return {all(returns_, per_shard_, config_.eval_episodes),
          all(lengths_, per_shard_, config_.eval_episodes),
          all(cpu_seconds_, per_shard_, config_.eval_episodes),
          all(random_returns_, random_per_shard_, config_.planner_random_episodes)};
}

PlannerScore PlannerRun::score(const Played& played) const {
  const env::Spec& spec = envs_->spec();
  PlannerScore score;
  score.task = spec.name;
  score.method = config_.planner;
  score.horizon = spec.horizon;
  score.repeat = spec.action_repeat;
  score.terminate_on_fall = config_.terminate_on_fall ? 1 : 0;
  score.lookahead = static_cast<std::int64_t>(planner_options(config_, spec).lookahead);
  score.seed = context_->seed;
  score.mujoco = env::mujoco_version();
  score.command = config_.planner_command(context_->seed);
  score.git = train::git_description();
  score.created_utc = base::utc_timestamp();
  score.returns = played.returns;
  score.cpu_seconds = played.cpu_seconds;
  score.random_returns = played.random_returns;
  return score;
}

void PlannerRun::evaluate(train::RunContext& context) {
  if (context.step < total_steps()) return;
  const Played played = gather();
  train::Metrics& metrics = *context.metrics;
  for (const double each : played.returns) {
    metrics.row("planner/episode_return", context.step, {each});
  }
  metrics.row("eval/return", context.step, {mean_of(played.returns)});
  metrics.row("eval/return_std", context.step, {deviation_of(played.returns)});
  metrics.row("eval/length", context.step, {mean_of(played.lengths)});
  metrics.row("eval/random_return", context.step, {mean_of(played.random_returns)});
  metrics.row("planner/cpu_seconds", context.step, {mean_of(played.cpu_seconds)});
}

// Not before the last checkpoint: a file that cannot be written costs no play, and the same command
// with another one records what was played.
void PlannerRun::record(const Played& played) const {
  if (config_.planner_record.empty()) return;
  context_->world.agree([&] {
    if (context_->world.is_root()) record_score(config_.planner_record, score(played));
  });
  base::log_info("recorded {} of {} in {}", config_.planner, config_.task, config_.planner_record);
}

std::string PlannerRun::summary(train::RunContext& context) {
  const Played played = gather();
  record(played);
  return fmt::format(
      "{}: {} returns {:.1f} +- {:.1f} (mean and deviation of {} episodes, looking {} decisions "
      "ahead, {:.2f} CPU s each, seed {}); random actions get {:.1f} +- {:.1f} ({} episodes)",
      config_.task, config_.planner, mean_of(played.returns), deviation_of(played.returns),
      played.returns.size(), planner_options(config_, envs_->spec()).lookahead,
      mean_of(played.cpu_seconds), context.seed, mean_of(played.random_returns),
      deviation_of(played.random_returns), played.random_returns.size());
}

}  // namespace tenfold::ddpg
