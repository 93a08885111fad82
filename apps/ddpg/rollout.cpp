#include "ddpg/rollout.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tenfold::ddpg {

using base::Purpose;

env::EnvOptions env_options(const Config& config) {
  return {config.horizon, config.repeat, config.terminate_on_fall, config.mjcf_dir};
}

namespace {

rl::NoiseOptions noise_options(const Config& config) {
  return {rl::noise_kind(config.noise), rl::ou_scheme(config.ou_scheme), config.ou_theta,
          config.sigma, config.ou_dt};
}

std::size_t replay_capacity(const Config& config, const train::ShardPlan& shards) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(config.replay) / shards.shards);
}

void check_memory(const Config& config, const train::ShardPlan& shards, const env::Spec& spec) {
  const double needed = static_cast<double>(shards.local()) *
                        rl::ReplayShard::bytes_needed(replay_capacity(config, shards),
                                                      spec.observation_size, spec.action_size);
  const double available = base::available_memory_bytes();
  if (needed > available) {
    throw base::Error(
        base::Code::kUsage,
        fmt::format("learning.replay {} needs {} of memory on this rank, {} are available",
                    config.replay, base::human_bytes(needed), base::human_bytes(available)),
        "Lower --replay, or use more nodes");
  }
}

}  // namespace

Rollout::Rollout(const Config& config, train::RunContext& context)
    : config_(config),
      context_(context),
      rows_(context.shards.local() * static_cast<std::size_t>(config.envs_per_shard)),
      per_shard_(static_cast<std::size_t>(config.envs_per_shard)),
      decisions_(context.shards.shards * per_shard_),
      envs_(env::make_env(config.task, rows_, env_options(config))),
      noise_(noise_options(config), rows_, envs_->spec().action_size) {
  const env::Spec& facts = spec();
  check_memory(config, context.shards, facts);
  for (std::size_t shard = 0; shard < context.shards.local(); ++shard) {
    replay_.emplace_back(replay_capacity(config, context.shards), facts.observation_size,
                         facts.action_size);
  }
  observations_.resize(rows_ * facts.observation_size);
  actions_.resize(rows_ * facts.action_size);
  episodes_.assign(rows_, 0);
  returns_.assign(rows_, 0);
  lengths_.assign(rows_, 0);
  env_state_.assign(rows_ * envs_->state_size(), 0);
  for (std::size_t row = 0; row < rows_; ++row) start_episode(row);
}

std::uint32_t Rollout::stream_index(std::size_t row) const {
  return static_cast<std::uint32_t>(context_.shards.mine[row / per_shard_] * per_shard_ +
                                    row % per_shard_);
}

void Rollout::start_episode(std::size_t row) {
  base::Stream stream(context_.seed, Purpose::kEnvReset, stream_index(row), episodes_[row]++);
  envs_->reset(row, stream);
  noise_.reset(row);
  returns_[row] = lengths_[row] = 0;
  const std::size_t width = spec().observation_size;
  std::copy_n(envs_->observations().data() + row * width, width,
              observations_.data() + row * width);
}

void Rollout::choose_actions(Agent& agent, std::uint64_t global_step) {
  const std::size_t width = spec().action_size;
  const bool random = global_step < static_cast<std::uint64_t>(config_.start_steps);
  if (!random) {
    const at::Tensor& input = agent.act_input();
    const std::size_t group_size =
        static_cast<std::size_t>(input.size(1)) * spec().observation_size;
    for (std::int64_t group = 0; group < input.size(0); ++group) {
      std::copy_n(observations_.data() + static_cast<std::size_t>(group) * group_size, group_size,
                  input.data_ptr<float>() + group * input.stride(0));
    }
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
  choose_actions(agent, global_step);
  const std::uint64_t unstable = envs_->unstable_count();
  envs_->step(actions_);
  context_.metrics->add("train/unstable_episodes",
                        static_cast<double>(envs_->unstable_count() - unstable));
  const std::size_t width = spec().observation_size;
  const std::size_t actions = spec().action_size;
  const std::span<const float> next = envs_->observations();
  for (std::size_t row = 0; row < rows_; ++row) {
    const bool terminal = envs_->terminal()[row] != 0;
    const float reward = envs_->rewards()[row];
    replay_[row / per_shard_].add({observations_.data() + row * width, width},
                                  {actions_.data() + row * actions, actions}, reward,
                                  next.subspan(row * width, width), terminal);
    returns_[row] += reward;
    lengths_[row] += 1;
    if (terminal || envs_->truncated()[row] != 0) {
      context_.metrics->add("train/episode_return", returns_[row]);
      context_.metrics->add("train/episode_length", lengths_[row]);
      start_episode(row);
    } else {
      std::copy_n(next.data() + row * width, width, observations_.data() + row * width);
    }
  }
}

void Rollout::sample(Batch& batch, std::int64_t rows, std::uint64_t draw) {
  // Groups hold their shards' rows one behind the other, so local shard k starts at row k * rows of
  // the whole contiguous batch in either layout.
  const auto count = static_cast<std::size_t>(rows);
  for (std::size_t k = 0; k < replay_.size(); ++k) {
    base::Stream stream(context_.seed, Purpose::kReplaySample,
                        static_cast<std::uint32_t>(context_.shards.mine[k]), draw);
    const std::size_t at = k * count;
    replay_[k].sample(stream, count,
                      batch.observation.data_ptr<float>() + at * spec().observation_size,
                      batch.action.data_ptr<float>() + at * spec().action_size,
                      batch.reward.data_ptr<float>() + at,
                      batch.next_observation.data_ptr<float>() + at * spec().observation_size,
                      batch.terminal.data_ptr<float>() + at);
  }
}

std::uint64_t Rollout::transitions_wanted(std::int64_t rows) const {
  const auto warm_up = static_cast<std::uint64_t>(config_.start_steps) / context_.shards.shards;
  return std::min<std::uint64_t>(std::max(static_cast<std::uint64_t>(rows), warm_up),
                                 replay_.front().capacity());
}

void Rollout::state(store::StateRegistry& registry) {
  const train::ShardPlan& plan = context_.shards;
  const auto rows = static_cast<std::uint64_t>(per_shard_);
  const auto per_row = [this, &plan](auto* data, std::size_t width) {
    return [this, &plan, data, width](std::size_t shard) {
      return data + plan.local_index(shard) * per_shard_ * width;
    };
  };
  const std::size_t obs = spec().observation_size, act = spec().action_size;
  registry.sharded<double>("env/state", {rows, envs_->state_size()},
                           per_row(env_state_.data(), envs_->state_size()));
  registry.sharded<float>("env/observation", {rows, obs}, per_row(observations_.data(), obs));
  registry.sharded<std::uint64_t>("env/episodes", {rows}, per_row(episodes_.data(), 1));
  registry.sharded<double>("env/episode_return", {rows}, per_row(returns_.data(), 1));
  registry.sharded<double>("env/episode_length", {rows}, per_row(lengths_.data(), 1));
  registry.sharded<double>("explore/noise", {rows, act}, per_row(noise_.state(), act));
  if (config_.replay_checkpoint != "none") {
    replay_state(registry);
  } else {
    registry.on_load([this] {
      base::log_info(
          "the checkpoint holds no replay memory (--replay-checkpoint none): updates wait "
          "until it holds {} transitions again",
          transitions_wanted(1) * context_.shards.shards);
    });
  }

  const std::size_t size = envs_->state_size();
  registry.on_save([this, size] {
    for (std::size_t row = 0; row < rows_; ++row) {
      envs_->save(row, {env_state_.data() + row * size, size});
    }
  });
  registry.on_load([this, size] {
    for (std::size_t row = 0; row < rows_; ++row) {
      envs_->load(row, {env_state_.data() + row * size, size});
    }
  });
}

void Rollout::replay_state(store::StateRegistry& registry) {
  const train::ShardPlan& plan = context_.shards;
  const std::size_t obs = spec().observation_size, act = spec().action_size;
  const auto of = [this, &plan](auto member) {
    return [this, &plan, member](std::size_t shard) {
      return (replay_[plan.local_index(shard)].*member)();
    };
  };
  const std::uint64_t capacity = replay_.front().capacity();
  const auto written = [this, &plan](std::size_t shard) {
    return replay_[plan.local_index(shard)].written();
  };
  using rl::ReplayShard;
  registry.ring<float>("replay/observation", {capacity, obs}, of(&ReplayShard::observations),
                       written);
  registry.ring<float>("replay/action", {capacity, act}, of(&ReplayShard::actions), written);
  registry.ring<float>("replay/reward", {capacity}, of(&ReplayShard::rewards), written);
  registry.ring<float>("replay/next_observation", {capacity, obs},
                       of(&ReplayShard::next_observations), written);
  registry.ring<std::uint8_t>("replay/terminal", {capacity}, of(&ReplayShard::terminals), written);
  registry.sharded<std::uint64_t>("replay/cursor", {}, of(&ReplayShard::cursor));
  registry.sharded<std::uint64_t>("replay/fill", {}, of(&ReplayShard::fill));
  registry.set_increments(config_.replay_checkpoint == "incremental");
  registry.on_load([this] {
    for (rl::ReplayShard& each : replay_) each.after_load();
  });
}

}  // namespace tenfold::ddpg
