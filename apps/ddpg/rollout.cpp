#include "ddpg/rollout.hpp"

#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tenfold::ddpg {

using base::Purpose;

namespace {

rl::NoiseOptions noise_options(const Config& config) {
  return {rl::noise_kind(config.noise), rl::ou_scheme(config.ou_scheme), config.ou_theta,
          config.sigma, config.ou_dt};
}

}  // namespace

Rollout::Rollout(const Config& config, train::RunContext& context, TransitionSink* sink)
    : config_(config),
      context_(context),
      rows_(context.shards.local() * static_cast<std::size_t>(config.envs_per_shard)),
      per_shard_(static_cast<std::size_t>(config.envs_per_shard)),
      decisions_(context.shards.shards * per_shard_),
      // Ranks that only learn have no rows, but name the state of a row.
      observer_(config, std::max<std::size_t>(rows_, 1), context.device.local_rank),
      noise_(noise_options(config), rows_, spec().action_size),
      memory_(sink == nullptr
                  ? std::make_unique<Memory>(config, spec(), context, observer_.frame_size())
                  : nullptr),
      sink_(sink == nullptr ? *memory_ : *sink),
      observations_(at::empty_like(observer_.seen())) {
  actions_.resize(rows_ * spec().action_size);
  episodes_.assign(rows_, 0);
  returns_.assign(rows_, 0);
  lengths_.assign(rows_, 0);
  env_state_.assign(rows_ * observer_.envs().state_size(), 0);
  for (std::size_t row = 0; row < rows_; ++row) start_episode(row);
}

std::uint32_t Rollout::stream_index(std::size_t row) const {
  return static_cast<std::uint32_t>(context_.shards.mine[row / per_shard_] * per_shard_ +
                                    row % per_shard_);
}

void Rollout::start_episode(std::size_t row) {
  base::Stream stream(context_.seed, Purpose::kEnvReset, stream_index(row), episodes_[row]++);
  observer_.envs().reset(row, stream);
  noise_.reset(row);
  returns_[row] = lengths_[row] = 0;
  observer_.copy_row(row, observations_);
}

void Rollout::choose_actions(Agent& agent, std::uint64_t global_step) {
  const std::size_t width = spec().action_size;
  const bool random = global_step < static_cast<std::uint64_t>(config_.start_steps);
  if (!random) {
    agent.act_input().copy_(observations_.view_as(agent.act_input()));
    const at::Tensor& output = agent.act();
    const std::size_t block = static_cast<std::size_t>(output.size(1)) * width;
    for (std::int64_t group = 0; group < output.size(0); ++group) {
      std::copy_n(output.data_ptr<float>() + group * output.stride(0), block,
                  actions_.data() + static_cast<std::size_t>(group) * block);
    }
  }
  for (std::size_t row = 0; row < rows_; ++row) {
    const std::span<float> action(actions_.data() + row * width, width);
    if (random) {
      base::Stream stream(context_.seed, Purpose::kWarmUpAction, stream_index(row), global_step);
      for (float& each : action) each = static_cast<float>(stream.uniform(-1, 1));
    } else {
      base::Stream stream(context_.seed, Purpose::kExplorationNoise, stream_index(row),
                          global_step);
      noise_.add(row, stream, action);
      for (float& each : action) each = std::clamp(each, -1.0F, 1.0F);
    }
  }
}

void Rollout::step(Agent& agent, std::uint64_t global_step) {
  if (loaded_) report_lost_episodes(global_step);
  choose_actions(agent, global_step);
  if (observer_.envs().may_raise()) {
    context_.world.agree([this] { advance(); });
  } else {
    advance();
  }
}

void Rollout::advance() {
  env::BatchEnv& envs = observer_.envs();
  const std::uint64_t unstable = envs.unstable_count();
  envs.step(actions_);
  context_.metrics->add("train/unstable_episodes",
                        static_cast<double>(envs.unstable_count() - unstable));
  for (std::size_t row = 0; row < rows_; ++row) {
    const rl::Ending ending = envs.terminal()[row] != 0    ? rl::Ending::kTerminal
                              : envs.truncated()[row] != 0 ? rl::Ending::kTruncated
                                                           : rl::Ending::kNone;
    remember(row, ending);
    returns_[row] += envs.rewards()[row];
    lengths_[row] += 1;
    if (ending != rl::Ending::kNone) {
      context_.metrics->add("train/episode_return", returns_[row]);
      context_.metrics->add("train/episode_length", lengths_[row]);
      start_episode(row);
    } else {
      observer_.copy_row(row, observations_);
    }
  }
}

void Rollout::remember(std::size_t row, rl::Ending ending) {
  const std::size_t width = spec().action_size;
  const std::span<const float> action(actions_.data() + row * width, width);
  const float reward = observer_.envs().rewards()[row];
  if (observer_.pictures()) {
    sink_.add_frame(row / per_shard_, row % per_shard_, observer_.frame(observations_, row), action,
                    reward, observer_.frame(observer_.seen(), row), ending);
  } else {
    sink_.add(row / per_shard_, observer_.state(observations_, row), action, reward,
              observer_.state(observer_.seen(), row), ending);
  }
}

void Rollout::state(store::StateRegistry& registry) {
  const train::ShardPlan& plan = context_.shards;
  const auto rows = static_cast<std::uint64_t>(per_shard_);
  const auto per_row = [this, &plan](auto* data, std::size_t width) {
    return [this, &plan, data, width](std::size_t shard) {
      return data + plan.local_index(shard) * per_shard_ * width;
    };
  };
  const std::size_t size = observer_.envs().state_size(), act = spec().action_size;
  const auto seen = static_cast<std::size_t>(observer_.shape().size);
  registry.sharded<double>("env/state", {rows, size}, per_row(env_state_.data(), size));
  if (observer_.pictures()) {
    registry.sharded<std::uint8_t>("env/frame", {rows, seen},
                                   per_row(observations_.data_ptr<std::uint8_t>(), seen));
  } else {
    registry.sharded<float>("env/observation", {rows, seen},
                            per_row(observations_.data_ptr<float>(), seen));
  }
  registry.sharded<std::uint64_t>("env/episodes", {rows}, per_row(episodes_.data(), 1));
  registry.sharded<double>("env/episode_return", {rows}, per_row(returns_.data(), 1));
  registry.sharded<double>("env/episode_length", {rows}, per_row(lengths_.data(), 1));
  registry.sharded<double>("explore/noise", {rows, act}, per_row(noise_.state(), act));
  if (memory_) memory_->state(registry);

  registry.on_save([this, size] {
    for (std::size_t row = 0; row < rows_; ++row) {
      observer_.envs().save(row, {env_state_.data() + row * size, size});
    }
  });
  registry.on_load([this] { load_episodes(); });
}

void Rollout::load_episodes() {
  env::BatchEnv& envs = observer_.envs();
  const std::size_t size = envs.state_size();
  lost_ = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    envs.load(row, {env_state_.data() + row * size, size});
    if (envs.restored(row)) continue;
    start_episode(row);
    ++lost_;
  }
  loaded_ = true;
}

void Rollout::report_lost_episodes(std::uint64_t global_step) {
  loaded_ = false;
  const std::int64_t lost = context_.world.all_reduce(lost_, comm::Op::kSum);
  if (lost == 0) return;
  const std::string text = fmt::format(
      "{} of {} episodes could not be brought back and began anew: this run does not end with the "
      "bits of an unbroken one",
      lost, decisions_);
  context_.metrics->event(global_step, "episodes lost", text);
  if (context_.world.is_root()) base::log_warning("{}: {}", spec().name, text);
}

}  // namespace tenfold::ddpg
