#include "a3c/actor.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "env/registry.hpp"

namespace tenfold::a3c {

using base::Purpose;

std::unique_ptr<env::BatchEnv> make_envs(const Config& config, std::size_t rows) {
  env::EnvOptions options;
  options.horizon = config.horizon;
  options.action_repeat = config.repeat;
  options.settings = config.settings;
  return env::make_env(config.task, rows, options);
}

namespace {

double draw_epsilon(const Config& config, std::size_t number, std::uint32_t seed) {
  base::Stream stream(seed, Purpose::kActorTraits, static_cast<std::uint32_t>(number), 0);
  double left = stream.uniform();
  const std::vector<EpsilonChoice> choices = epsilon_choices(config.epsilon_final);
  for (const EpsilonChoice& each : choices) {
    left -= each.weight;
    if (left < 0) return each.epsilon;
  }
  return choices.back().epsilon;
}

}  // namespace

Actor::Actor(const Config& config, std::size_t number, std::uint32_t seed, std::int64_t state_size,
             std::int64_t statistics_size)
    : Actor(config, number, seed, state_size, statistics_size,
            make_envs(config, static_cast<std::size_t>(config.envs_per_actor))) {}

Actor::Actor(const Config& config, std::size_t number, std::uint32_t seed, std::int64_t state_size,
             std::int64_t statistics_size, std::unique_ptr<env::BatchEnv> envs)
    : number_(number),
      seed_(seed),
      envs_(std::move(envs)),
      final_epsilon_(draw_epsilon(config, number, seed)) {
  returns.assign(rows(), 0);
  lengths.assign(rows(), 0);
  memory.assign(rows() * static_cast<std::size_t>(state_size), 0);
  next_actions.assign(rows(), -1);
  episodes_.assign(rows(), 0);
  environment_state_.assign(rows() * envs_->state_size(), 0);
  if (statistics_size > 0) statistics = at::zeros({statistics_size}, at::kFloat);
  for (std::size_t row = 0; row < rows(); ++row) begin_episode(row);
}

base::Stream Actor::stream(std::size_t row) const {
  return {seed_, Purpose::kPolicySample, static_cast<std::uint32_t>(number_ * rows() + row),
          decisions};
}

void Actor::begin_episode(std::size_t row) {
  base::Stream stream(seed_, Purpose::kEnvReset, static_cast<std::uint32_t>(number_ * rows() + row),
                      episodes_[row]++);
  envs_->reset(row, stream);
  returns[row] = lengths[row] = 0;
  next_actions[row] = -1;
}

void Actor::save_environments() {
  const std::size_t size = envs_->state_size();
  for (std::size_t row = 0; row < rows(); ++row) {
    envs_->save(row, {environment_state_.data() + row * size, size});
  }
}

std::int64_t Actor::load_environments() {
  const std::size_t size = envs_->state_size();
  std::int64_t lost = 0;
  for (std::size_t row = 0; row < rows(); ++row) {
    envs_->load(row, {environment_state_.data() + row * size, size});
    if (envs_->restored(row)) continue;
    begin_episode(row);
    const std::size_t width = memory.size() / rows();
    std::fill_n(memory.begin() + static_cast<std::ptrdiff_t>(row * width), width, 0.0F);
    ++lost;
  }
  return lost;
}

ActorGroup::ActorGroup(const Config& config, const train::ShardPlan& plan, std::uint32_t seed,
                       std::int64_t state_size, std::int64_t statistics)
    : plan_(plan), state_size_(state_size), statistics_(statistics) {
  for (const std::size_t number : plan.mine) {
    actors_.push_back(std::make_unique<Actor>(config, number, seed, state_size, statistics));
  }
  if (actors_.empty()) {
    only_example_ = make_envs(config, static_cast<std::size_t>(config.envs_per_actor));
  }
  example_ = actors_.empty() ? only_example_.get() : &actors_.front()->envs();
}

void ActorGroup::state(store::StateRegistry& registry) {
  const auto rows = static_cast<std::uint64_t>(example_->size());
  const auto of = [this](auto pick) {
    return [this, pick](std::size_t shard) { return pick(*actors_[plan_.local_index(shard)]); };
  };
  registry.sharded<double>("actors/env_state", {rows, example_->state_size()},
                           of([](Actor& a) { return a.environment_state_.data(); }));
  registry.sharded<std::uint64_t>("actors/episodes", {rows},
                                  of([](Actor& a) { return a.episodes_.data(); }));
  registry.sharded<std::uint64_t>("actors/decisions", {},
                                  of([](Actor& a) { return &a.decisions; }));
  registry.sharded<double>("actors/episode_return", {rows},
                           of([](Actor& a) { return a.returns.data(); }));
  registry.sharded<double>("actors/episode_length", {rows},
                           of([](Actor& a) { return a.lengths.data(); }));
  registry.sharded<std::int64_t>("actors/next_action", {rows},
                                 of([](Actor& a) { return a.next_actions.data(); }));
  if (state_size_ > 0) {
    registry.sharded<float>("actors/lstm", {rows, static_cast<std::uint64_t>(state_size_)},
                            of([](Actor& a) { return a.memory.data(); }));
  }
  if (statistics_ > 0) {
    registry.sharded<float>("actors/optimizer", {static_cast<std::uint64_t>(statistics_)},
                            of([](Actor& a) { return a.statistics.data_ptr<float>(); }));
  }
  registry.on_save([this] {
    for (const auto& actor : actors_) actor->save_environments();
  });
  registry.on_load([this] {
    lost_ = 0;
    for (const auto& actor : actors_) lost_ += actor->load_environments();
  });
}

std::int64_t ActorGroup::take_lost() {
  return std::exchange(lost_, 0);
}

}  // namespace tenfold::a3c
