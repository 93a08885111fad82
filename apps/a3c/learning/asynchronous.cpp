#include "a3c/learning/asynchronous.hpp"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <span>
#include <utility>

#include "a3c/learning/schedules.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace tenfold::a3c {

namespace {

comm::Communicator ranks_of_node(const Config& config, const comm::Communicator& world) {
  if (config.fake_nodes == 0) return world.node();
  const auto nodes = static_cast<int>(std::min<std::int64_t>(config.fake_nodes, world.size()));
  return world.split(world.rank() * nodes / world.size());
}

}  // namespace

std::vector<comm::ArenaPart> NodeNumbers::parts() {
  const std::size_t word = sizeof(std::int64_t);
  return {{"elsewhere", word}, {"halt", word}, {"turn", word}, {"last", word}, {"multiple", word}};
}

NodeNumbers::NodeNumbers(const comm::SharedArena& arena)
    : elsewhere(arena, "elsewhere"),
      halt(arena, "halt"),
      turn(arena, "turn"),
      last(arena, "last"),
      multiple(arena, "multiple") {}

Asynchronous::Asynchronous(const Config& config, train::RunContext& context)
    : Learning(config, context),
      sharing_{parameters_.numel(), update_policy(config.update), optimizer_, config.stripes},
      gradient_(at::empty_like(parameters_)),
      all_actors_(context.shards.shards) {
  if (context.device.device.is_cuda()) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("--device cuda does not go with --update {}: a GPU's memory is "
                                  "not shared between ranks without locks",
                                  config.update),
                      "Use --update sync, or --device cpu");
  }
}

Asynchronous::~Asynchronous() = default;

// What all ranks must do together cannot be done while they are being built; and what a checkpoint
// brought is in their copies.
void Asynchronous::begin(train::RunContext& context) {
  node_ = std::make_unique<comm::Communicator>(ranks_of_node(config_, context.world));
  std::vector<comm::ArenaPart> parts = SharedParameters::parts(sharing_);
  for (comm::ArenaPart& each : NodeNumbers::parts()) parts.push_back(std::move(each));
  for (comm::ArenaPart& each : Heartbeats::parts(node_->size())) parts.push_back(std::move(each));
  arena_ = std::make_unique<comm::SharedArena>(*node_, parts);
  shared_ = std::make_unique<SharedParameters>(*arena_, sharing_, node_->rank(), node_->size());
  numbers_ = std::make_unique<NodeNumbers>(*arena_);
  heartbeats_ =
      std::make_unique<Heartbeats>(*arena_, *node_, context.world.rank(), config_.rank_timeout);
  if (node_->is_root()) {
    const auto put = [](const at::Tensor& from, std::span<float> to) {
      std::copy_n(from.data_ptr<float>(), to.size(), to.begin());
    };
    put(parameters_, shared_->parameters());
    put(statistics_, shared_->statistics());
    put(target_, shared_->target());
    shared_->frames().set(decisions_);
    shared_->updates().set(updates_);
    shared_->copies().set(copies_);
    numbers_->multiple.set(decisions_ / config_.target_period);
  }
  target_seen_ = copies_;
  at_settle_ = decisions_;
  arena_->sync();
  node_->barrier();
  arena_->sync();
  const comm::Communicator leaders = context.world.split(node_->is_root() ? 0 : 1);
  several_ = context.world.all_reduce(node_->size(), comm::Op::kMin) < context.world.size();
  if (several_ && config_.order == "turns") {
    throw comm::AgreedError(
        base::Error(base::Code::kUsage, "--order turns is for the ranks of one node",
                    "Start all ranks on one node, or leave --order out"),
        0, comm::host_name());
  }
  if (several_ && node_->is_root()) {
    link_ = make_node_link(config_, leaders, *shared_, numbers_->elsewhere);
  }
}

std::int64_t Asynchronous::all_decisions() const {
  return shared_->frames().get() + numbers_->elsewhere.get();
}

void Asynchronous::roll_out_and_apply(Actor& actor) {
  heartbeats_->beat();
  const std::int64_t seen = shared_->updates().get();
  shared_->read(parameters_);
  if (networks_.head() == Head::kQ) {
    if (const std::int64_t copies = shared_->copies().get(); copies != target_seen_) {
      shared_->read_target(target_);
      target_seen_ = copies;
    }
  }
  const std::int64_t before = all_decisions();
  const std::int64_t count = roll_out(actor, before, gradient_);
  if (gate_.pass(gradient_, tally_)) {
    const double lr = learning_rate(config_, before);
    tally_.staleness.add(shared_->apply(gradient_, lr, actor.statistics) - seen);
    tally_.learning_rate += lr;
    tally_.updates += 1;
  } else {
    refuse(actor, gradient_);
  }
  copy_target_at(shared_->frames().add(count) + count + numbers_->elsewhere.get());
}

// Whoever sees a multiple of the period first copies. News of other nodes, or a rank that was
// faster, may carry T over several between two looks: one copy is made then, and stands for them
// all.
void Asynchronous::copy_target_at(std::int64_t decisions) {
  const std::int64_t now = decisions / config_.target_period;
  for (std::int64_t done = numbers_->multiple.get(); now > done; done = numbers_->multiple.get()) {
    if (!numbers_->multiple.replace(done, now)) continue;
    shared_->copy_target(now - done);
    return;
  }
}

bool Asynchronous::halted(std::int64_t limit) const {
  if (signalled()) numbers_->halt.set(1);
  return all_decisions() >= limit || numbers_->halt.get() != 0;
}

void Asynchronous::run_free(std::int64_t limit) {
  do {  // every rank has a rollout of its own: a step always advances
    roll_out_and_apply(actors_[next_]);
    next_ = (next_ + 1) % actors_.size();
    if (link_) link_->poll();
  } while (!halted(limit));
}

// False: something went wrong elsewhere. A rank that waits for the end of a round may find that the
// next one has begun.
bool Asynchronous::wait_for_turn(std::int64_t turn) {
  if (numbers_->turn.get() >= turn) return true;
  comm::Backoff backoff;
  heartbeats_->wait();
  while (numbers_->turn.get() < turn) {
    if (numbers_->halt.get() < 0) return false;
    heartbeats_->look();
    backoff.pause();
  }
  return true;
}

// Whoever has the last turn of a round says whether another one follows: all see the same.
void Asynchronous::run_turns(std::int64_t limit) {
  const auto all = static_cast<std::int64_t>(all_actors_);
  for (bool over = false; !over; ++rounds_) {
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      const std::int64_t turn = rounds_ * all + static_cast<std::int64_t>(actors_[i].number());
      if (!wait_for_turn(turn)) return;
      roll_out_and_apply(actors_[i]);
      if (signalled()) numbers_->halt.set(1);
      if (turn + 1 == (rounds_ + 1) * all && halted(limit)) numbers_->last.set(rounds_ + 1);
      numbers_->turn.add(1);
    }
    if (!wait_for_turn((rounds_ + 1) * all)) return;
    over = numbers_->last.get() == rounds_ + 1;
  }
}

// Nodes count updates for themselves; each begins the next block with the sum, and with the first
// node's target network.
void Asynchronous::count_over_nodes(train::RunContext& context) {
  const bool counts = node_->is_root();
  if (context.world.is_root()) copy_target_at(shared_->frames().get());
  const std::int64_t more =
      context.world.all_reduce(counts ? shared_->updates().get() - updates_ : 0, comm::Op::kSum);
  std::int64_t copies = shared_->copies().get();
  context.world.broadcast(std::span<std::int64_t>(&copies, 1));
  if (networks_.head() == Head::kQ) {
    shared_->read_target(target_);
    context.world.broadcast(std::span<float>(target_.data_ptr<float>(), shared_->target().size()));
  }
  if (!counts) return;
  shared_->updates().set(updates_ + more);
  shared_->copies().set(copies);
  numbers_->multiple.set(shared_->frames().get() / config_.target_period);
  std::copy_n(target_.data_ptr<float>(), shared_->target().size(), shared_->target().begin());
  link_->begin_block();
}

// All ranks are here: nodes become equal, everyone gets a copy.
void Asynchronous::settle(train::RunContext& context) {
  arena_->sync();
  comm::patient_barrier(*node_);
  arena_->sync();
  if (link_) {
    const std::int64_t more = link_->settle(shared_->frames().get() - at_settle_);
    shared_->frames().set(at_settle_ + more);
  }
  if (several_) count_over_nodes(context);
  if (node_->is_root()) numbers_->halt.set(0);
  arena_->sync();
  comm::patient_barrier(*node_);
  arena_->sync();
  shared_->read(parameters_);
  std::copy(shared_->statistics().begin(), shared_->statistics().end(),
            statistics_.data_ptr<float>());
  if (networks_.head() == Head::kQ) shared_->read_target(target_);
  decisions_ = at_settle_ = shared_->frames().get();
  updates_ = shared_->updates().get();
  copies_ = target_seen_ = shared_->copies().get();
  comm::patient_barrier(*node_);  // nobody goes on before all have the same
}

std::uint64_t Asynchronous::step(train::RunContext& context) {
  if (!arena_) begin(context);
  report_lost(context);
  const std::int64_t first = decisions_;
  const std::int64_t limit = std::min(first + config_.block, config_.total_steps);
  const base::Stopwatch block;
  try {
    if (config_.order == "turns") {
      run_turns(limit);
    } else {
      run_free(limit);
    }
  } catch (...) {
    failure_ = std::current_exception();
    numbers_->halt.set(-1);
  }
  const double block_seconds = block.seconds();
  const base::Stopwatch waiting;
  heartbeats_->wait();
  comm::patient_barrier(context.world, [&] { heartbeats_->look(); });
  const double wait_seconds = waiting.seconds();
  context.world.agree([&] {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  });
  settle(context);
  publish(context, static_cast<std::uint64_t>(decisions_), block_seconds, wait_seconds);
  return static_cast<std::uint64_t>(decisions_ - first);
}

}  // namespace tenfold::a3c
