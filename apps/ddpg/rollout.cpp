#include "ddpg/rollout.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tenfold::ddpg {

using base::Purpose;

env::EnvOptions env_options(const Config& config) {
  return {config.horizon,
          config.repeat,
          config.terminate_on_fall,
          config.mjcf_dir,
          {config.reward, config.ends_when, config.start_noise, config.control_dt}};
}

namespace {

rl::NoiseOptions noise_options(const Config& config) {
  return {rl::noise_kind(config.noise), rl::ou_scheme(config.ou_scheme), config.ou_theta,
          config.sigma, config.ou_dt};
}

}  // namespace

Rollout::Rollout(const Config& config, train::RunContext& context)
    : config_(config),
      context_(context),
      rows_(context.shards.local() * static_cast<std::size_t>(config.envs_per_shard)),
      per_shard_(static_cast<std::size_t>(config.envs_per_shard)),
      decisions_(context.shards.shards * per_shard_),
      envs_(env::make_env(config.task, rows_, env_options(config))),
      noise_(noise_options(config), rows_, envs_->spec().action_size),
      memory_(config, envs_->spec(), context) {
  const env::Spec& facts = spec();
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
  if (loaded_) report_lost_episodes(global_step);
  choose_actions(agent, global_step);
  if (envs_->may_raise()) {
    context_.world.agree([this] { advance(); });
  } else {
    advance();
  }
}

void Rollout::advance() {
  const std::uint64_t unstable = envs_->unstable_count();
  envs_->step(actions_);
  context_.metrics->add("train/unstable_episodes",
                        static_cast<double>(envs_->unstable_count() - unstable));
  const std::size_t width = spec().observation_size;
  const std::size_t actions = spec().action_size;
  const std::span<const float> next = envs_->observations();
  for (std::size_t row = 0; row < rows_; ++row) {
    const rl::Ending ending = envs_->terminal()[row] != 0    ? rl::Ending::kTerminal
                              : envs_->truncated()[row] != 0 ? rl::Ending::kTruncated
                                                             : rl::Ending::kNone;
    const float reward = envs_->rewards()[row];
    memory_.add(row / per_shard_, {observations_.data() + row * width, width},
                {actions_.data() + row * actions, actions}, reward,
                next.subspan(row * width, width), ending);
    returns_[row] += reward;
    lengths_[row] += 1;
    if (ending != rl::Ending::kNone) {
      context_.metrics->add("train/episode_return", returns_[row]);
      context_.metrics->add("train/episode_length", lengths_[row]);
      start_episode(row);
    } else {
      std::copy_n(next.data() + row * width, width, observations_.data() + row * width);
    }
  }
}

std::uint64_t Rollout::transitions_wanted(std::int64_t rows) const {
  const auto warm_up = static_cast<std::uint64_t>(config_.start_steps) / context_.shards.shards;
  return std::min<std::uint64_t>(std::max(static_cast<std::uint64_t>(rows), warm_up),
                                 memory_.capacity_per_shard());
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
    memory_.state(registry);
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
  registry.on_load([this] { load_episodes(); });
}

void Rollout::load_episodes() {
  const std::size_t size = envs_->state_size();
  lost_ = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    envs_->load(row, {env_state_.data() + row * size, size});
    if (envs_->restored(row)) continue;
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
