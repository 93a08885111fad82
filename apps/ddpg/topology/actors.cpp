#include "ddpg/topology/actors.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "comm/waiting.hpp"

namespace tenfold::ddpg {

namespace {

// What environments are spread by; learners have none of them.
train::ShardPlan acting_plan(const train::RunContext& context) {
  const train::Roles& roles = *context.roles;
  const int rank = context.world.rank();
  train::ShardPlan plan =
      train::spread_shards(context.shards.shards, roles.actors, std::max(0, rank - roles.learners));
  if (roles.learner(rank)) plan.mine.clear();
  return plan;
}

void check_ranks(const train::RunContext& context) {
  if (static_cast<std::size_t>(context.world.size()) <= context.shards.shards) return;
  throw base::Error(
      base::Code::kUsage,
      fmt::format("{} ranks for {} virtual shards: some would have no environment",
                  context.world.size(), context.shards.shards),
      fmt::format("Start at most {}, or raise --virtual-shards", context.shards.shards));
}

Config with_noise_of(const Config& config, const train::RunContext& context) {
  Config copy = config;
  const train::Roles& roles = *context.roles;
  const int actor = context.world.rank() - roles.learners;
  if (actor >= 0) copy.sigma = actor_sigma(config, actor, roles.actors);
  return copy;
}

}  // namespace

Actors::Part::Part(const train::RunContext& whole, const comm::Communicator& ranks,
                   train::ShardPlan plan)
    : reducer(ranks, plan, whole.reducer->mode()), context(whole) {
  context.world = ranks;
  context.shards = std::move(plan);
  context.reducer = &reducer;
}

Actors::Actors(const Config& config, train::RunContext& context)
    : config_(config),
      acting_config_(with_noise_of(config, context)),
      context_(context),
      learning_(context),
      acting_(context, comm::Communicator::self(), acting_plan(context)),
      evaluating_(
          context, context.world,
          train::spread_shards(context.shards.shards, context.world.size(), context.world.rank())),
      evaluation_(evaluating_.context),
      learner_(context.roles->learner(context.world.rank())),
      rows_(config.rows_per_shard(static_cast<std::int64_t>(context.shards.shards))),
      limiter_(config.updates_per_step,
               context.shards.shards * static_cast<std::uint64_t>(config.envs_per_shard),
               config.ratio_band) {
  check_ranks(context);
  learning_.world = context.roles->group;
  rollout_ = std::make_unique<Rollout>(acting_config_, acting_.context, &way_);
  memory_ = std::make_unique<Memory>(config, spec(), learning_, observer().frame_size());
  agent_ = std::make_unique<Agent>(
      config, observer().shape(), static_cast<std::int64_t>(spec().action_size),
      learner_ ? learning_ : acting_.context, rows_, config.envs_per_shard);
}

void Actors::state(store::StateRegistry& registry) {
  agent_->state(registry);
  registry.hold(acting_.context.shards.mine);
  rollout_->state(registry);
  registry.hold(std::nullopt);
  memory_->state(registry);
  registry.replicated("progress/updates_due", limiter_.backlog_storage());
}

// What all ranks must do together cannot be done while they are being built.
void Actors::begin(std::uint64_t round) {
  all_ = std::make_unique<comm::Communicator>(context_.world.duplicate());
  warm_up_.decisions = rollout_->decisions();
  warm_up_.start_steps = static_cast<std::uint64_t>(config_.start_steps);
  warm_up_.per_shard = static_cast<std::uint64_t>(config_.envs_per_shard);
  warm_up_.capacity = memory_->capacity_per_shard();
  warm_up_.wanted = memory_->transitions_wanted(rows_);
  warm_up_.waiting = memory_->rows_waiting();
  warm_up_.first_round = round;
  std::uint64_t held = learner_ ? memory_->rounds_held() : 0;
  all_->broadcast(std::span<std::uint64_t>(&held, 1));
  warm_up_.held = held;
  const BlockShape shape{spec().observation_size, observer().frame_size(), spec().action_size,
                         warm_up_.per_shard, static_cast<std::size_t>(config_.block)};
  if (learner_) {
    begin_learning(*all_, shape);
  } else {
    begin_acting(*all_, shape, round);
  }
}

void Actors::begin_learning(const comm::Communicator& all, const BlockShape& shape) {
  const train::Roles& roles = *context_.roles;
  inbox_ = std::make_unique<Inbox>(all, shape, context_.shards.shards, roles.learners, roles.actors,
                                   all.rank());
  sender_ = std::make_unique<NewsSender>(
      all, std::vector<at::Tensor>{agent_->actor_parameters(), agent_->actor_buffers()},
      roles.learners, roles.actors, all.rank());
  learning_rank_ = std::make_unique<LearningRank>(config_, learning_, *agent_, *memory_, *inbox_,
                                                  *sender_, limiter_, rollout_->decisions());
}

void Actors::begin_acting(const comm::Communicator& all, const BlockShape& shape,
                          std::uint64_t round) {
  const train::Roles& roles = *context_.roles;
  const int actor = all.rank() - roles.learners;
  way_.outbox = std::make_unique<Outbox>(all, shape, context_.shards.shards, roles.learners,
                                         roles.actors, actor);
  receiver_ = std::make_unique<NewsReceiver>(
      all, std::vector<at::Tensor>{agent_->actor_parameters(), agent_->actor_buffers()},
      roles.learners, actor);
  receiver_->set({static_cast<std::uint64_t>(agent_->updates()), round, limiter_.backlog()});
  acting_rank_ = std::make_unique<ActingRank>(*agent_, *rollout_, *way_.outbox, *receiver_,
                                              limiter_, *context_.metrics);
}

std::uint64_t Actors::step(train::RunContext& context) {
  const std::uint64_t decisions = rollout_->decisions();
  const std::uint64_t round = context.step / decisions;
  if (!all_) begin(round);
  const std::uint64_t left = static_cast<std::uint64_t>(config_.total_steps) - context.step;
  const std::uint64_t rounds =
      std::min(static_cast<std::uint64_t>(config_.block), (left + decisions - 1) / decisions);
  try {
    if (learner_) {
      learning_rank_->learn(round, rounds, warm_up_, rounds * decisions >= left);
    } else {
      acting_rank_->act(round, rounds, warm_up_);
    }
  } catch (const comm::AgreedError& error) {
    // Learners fail together always, actors perhaps.
    end_job(error, learning_.world.is_root() ? 0 : learner_ ? 30 : 2);
  }
  comm::patient_barrier(*all_, [this] {
    if (receiver_) receiver_->poll();
  });
  return rounds * decisions;
}

void Actors::settle() {
  std::int64_t updates = agent_->updates();
  context_.world.broadcast(std::span<std::int64_t>(&updates, 1));
  for (const at::Tensor& part : {agent_->actor_parameters(), agent_->actor_buffers(),
                                 agent_->critic_parameters(), agent_->critic_buffers()}) {
    context_.world.broadcast(
        std::span<float>(part.data_ptr<float>(), static_cast<std::size_t>(part.numel())));
  }
  if (receiver_) {
    News news = receiver_->news();
    news.version = static_cast<std::uint64_t>(updates);
    receiver_->set(news);
  }
}

}  // namespace tenfold::ddpg
