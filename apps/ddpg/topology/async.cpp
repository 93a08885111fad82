#include "ddpg/topology/async.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "comm/waiting.hpp"

namespace tenfold::ddpg {

namespace {

train::RunContext alone(const train::RunContext& context) {
  train::RunContext copy = context;
  copy.world = comm::Communicator::self();
  return copy;
}

train::ShardPlan own_shards(const train::RunContext& context) {
  return train::spread_shards(context.shards.local(), 1, 0);
}

train::RunContext with(const train::RunContext& context, train::GradientReducer& reducer) {
  train::RunContext copy = alone(context);
  copy.shards = own_shards(context);
  copy.reducer = &reducer;
  return copy;
}

std::vector<comm::ArenaPart> joined(std::vector<comm::ArenaPart> parts,
                                    const std::vector<comm::ArenaPart>& more) {
  parts.insert(parts.end(), more.begin(), more.end());
  return parts;
}

}  // namespace

std::vector<comm::ArenaPart> SharedLearner::parts(const Learner& learner) {
  const auto bytes = [](const at::Tensor& tensor) {
    return sizeof(float) * static_cast<std::size_t>(tensor.numel());
  };
  return joined(train::SharedAdam::parts(learner.name, learner.parameters.numel()),
                {{learner.name + "/buffers", bytes(learner.buffers)},
                 {learner.name + "/target_parameters", bytes(learner.target_parameters)},
                 {learner.name + "/target_buffers", bytes(learner.target_buffers)}});
}

SharedLearner::SharedLearner(const comm::SharedArena& arena, Learner& learner)
    : learner_(learner),
      adam_(arena, learner.name),
      buffers_(arena.part<float>(learner.name + "/buffers"), learner.buffers),
      target_parameters_(arena.part<float>(learner.name + "/target_parameters"),
                         learner.target_parameters),
      target_buffers_(arena.part<float>(learner.name + "/target_buffers"), learner.target_buffers) {
  learner.adam.share(&adam_);
}

SharedLearner::~SharedLearner() {
  learner_.adam.share(nullptr);
}

void SharedLearner::get() {
  adam_.get_parameters(learner_.parameters);
  buffers_.get();
  target_parameters_.get();
  target_buffers_.get();
}

void SharedLearner::updated(double tau) {
  buffers_.add_change();
  target_parameters_.follow(learner_.parameters, tau);
  target_buffers_.follow(learner_.buffers, tau);
}

void SharedLearner::get_all() {
  learner_.adam.get_shared();
  get();
}

void SharedLearner::set_all() {
  learner_.adam.set_shared();
  buffers_.set();
  target_parameters_.set();
  target_buffers_.set();
}

Async::Async(const Config& config, train::RunContext& context)
    : config_(config),
      context_(context),
      acting_(alone(context)),
      reducer_(comm::Communicator::self(), own_shards(context), context.reducer->mode()),
      learning_(with(context, reducer_)),
      rows_(config.rows_per_shard(static_cast<std::int64_t>(context.shards.local()))),
      rows_of_all_(
          std::max<std::int64_t>(1, rows_ * static_cast<std::int64_t>(context.shards.local()) /
                                        static_cast<std::int64_t>(context.shards.shards))),
      rollout_(config, acting_),
      agent_(config, observer().shape(), static_cast<std::int64_t>(spec().action_size), learning_,
             rows_, config.envs_per_shard) {
  if (context.optimizer.zero1) {
    throw base::Error(base::Code::kUsage, "--zero 1 does not work with --topology async",
                      "The ranks share one copy of the optimizer's state already");
  }
}

void Async::state(store::StateRegistry& registry) {
  agent_.state(registry);
  rollout_.state(registry);
  registry.replicated("progress/updates_due", &updates_due_);
}

// What all ranks must do together cannot be done while they are being built; and what a checkpoint
// brought is in their copies.
void Async::begin() {
  all_ = std::make_unique<comm::Communicator>(context_.world.duplicate());
  arena_ = std::make_unique<comm::SharedArena>(
      *all_, joined(SharedLearner::parts(agent_.actor()), SharedLearner::parts(agent_.critic())));
  actor_ = std::make_unique<SharedLearner>(*arena_, agent_.actor());
  critic_ = std::make_unique<SharedLearner>(*arena_, agent_.critic());
  if (all_->is_root()) {
    actor_->set_all();
    critic_->set_all();
  }
  arena_->sync();
  all_->barrier();
  arena_->sync();
}

void Async::update(double progress) {
  actor_->get();
  critic_->get();
  const std::int64_t before = critic_->steps();
  update_once(agent_, rollout_.memory(), rows_, progress, learning_);
  actor_->updated(config_.tau);
  critic_->updated(config_.tau);
  context_.metrics->add("topology/staleness_updates",
                        static_cast<double>(agent_.updates() - before - 1));
}

void Async::act_and_learn(std::uint64_t step) {
  actor_->get();
  rollout_.step(agent_, step);
  Memory& memory = rollout_.memory();
  const bool warm = step >= static_cast<std::uint64_t>(config_.start_steps) &&
                    memory.transitions_per_shard() >= memory.transitions_wanted(rows_of_all_);
  if (!warm) return;
  const double progress = static_cast<double>(step) / static_cast<double>(config_.total_steps);
  updates_due_ += config_.updates_per_step * static_cast<double>(rollout_.decisions());
  const double ranks = all_->size();  // each makes one of so many
  for (; updates_due_ >= ranks; updates_due_ -= ranks) update(progress);
}

std::uint64_t Async::step(train::RunContext& context) {
  if (!arena_) begin();
  const std::uint64_t decisions = rollout_.decisions();
  const std::uint64_t left = static_cast<std::uint64_t>(config_.total_steps) - context.step;
  const std::uint64_t rounds =
      std::min(static_cast<std::uint64_t>(config_.block), (left + decisions - 1) / decisions);
  const base::Stopwatch whole;
  try {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      act_and_learn(context.step + round * decisions);
    }
  } catch (const comm::AgreedError& error) {
    end_job(error, context_.world.is_root() ? 0 : 2);  // only this rank has heard of it
  }
  const base::Stopwatch watch;
  arena_->sync();
  comm::patient_barrier(*all_);
  arena_->sync();
  actor_->get_all();
  critic_->get_all();
  all_->barrier();  // nobody goes on before all have the same
  train::Metrics& metrics = *context_.metrics;
  metrics.add("topology/block_wait", watch.seconds() / std::max(whole.seconds(), 1e-9));
  metrics.add("train/replay_fill", static_cast<double>(rollout_.memory().held(0)));
  return rounds * decisions;
}

}  // namespace tenfold::ddpg
