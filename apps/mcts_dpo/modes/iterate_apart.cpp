// Rounds whose halves overlap: ranks that search work on round k while those that learn work on
// round k - 1. What searches is one round behind what learns, on any number of ranks.
#include "base/error.hpp"
#include "mcts_dpo/modes/iterate.hpp"

namespace tenfold::mcts_dpo {

/// Of the first stage, which only searches, Q steps; of the second, Q more; of each later one 2 Q:
/// a stage that learns from round k ends where round k ends when all ranks do both. At a stage's
/// end the searches go to those that learn, the policy to those that search.
Iteration::Stage Iteration::stage() const {
  Stage stage;
  const std::uint64_t half = total_of_round() / 2, round = number();
  stage.learns = records_->done() == records_->questions();
  stage.searched = round + (stage.learns ? 1 : 0);
  stage.searches = stage.searched < static_cast<std::uint64_t>(config_.rounds);
  if (stage.learns) {
    stage.first = round == 0 ? half : round * total_of_round();
    stage.end = (round + 1) * total_of_round();
  } else {
    stage.end = half;
  }
  stage.units = (stage.learns ? half : 0) + (stage.searches ? half : 0);
  return stage;
}

/// A part of a stage: until both have done all of it, or a point is asked for where a checkpoint
/// can be taken. Those that search do so with the policy of the stage's beginning, whatever the
/// others have made of it meanwhile.
std::uint64_t Iteration::step_apart(train::RunContext& context) {
  if (restored_) {
    records_->share_loaded(context.world);
    ahead_->share_loaded(context.world);
    restored_ = false;
  }
  const Stage stage = this->stage();
  if (!begun_) begin_stage(stage, context);
  for (;;) {
    const std::uint64_t done = work_apart(stage, context);
    if (done == stage.units) break;
    const std::uint64_t at = stage.first + (stage.end - stage.first) * done / stage.units;
    if (at > context.step) return at - context.step;
  }
  context.world.agree([&] {
    if (stage.learns && context.roles->learner(context.world.rank())) end_round(context);
  });
  hand_over(context);
  records_->swap(*ahead_);
  ahead_->clear();
  begun_ = false;
  return (nothing_left_ ? total_steps() : stage.end) - context.step;
}

void Iteration::begin_stage(const Stage& stage, train::RunContext& context) {
  if (!collector_) make_collector(context);
  if (stage.searches) start_collecting(round_of(stage.searched), *ahead_, context);
  begun_ = true;
}

/// Units of the stage that are done.
std::uint64_t Iteration::work_apart(const Stage& stage, train::RunContext& context) {
  const comm::Communicator& world = context.world;
  const bool learner = context.roles->learner(world.rank());
  Meeting& meeting = collector_->meeting();
  const auto done = [&] {
    std::int64_t learned = stage.learns && prepared_ ? learned_share() : 0;
    world.broadcast(std::span<std::int64_t>(&learned, 1));
    return ahead_->done() + static_cast<std::uint64_t>(learned);
  };
  meeting.begin(static_cast<std::int64_t>(stage.units - done()));
  meeting.work([&] {
    if (learner && stage.learns) learn_apart(meeting, context);
    if (!learner && stage.searches) collector_->work();
  });
  if (stage.searches) {
    collector_->gather(*ahead_);
    count_tokens(context);
  }
  return done();
}

void Iteration::learn_apart(Meeting& meeting, train::RunContext& context) {
  const comm::Communicator& learners = context.roles->group;
  try {
    if (!prepared_) prepare(context);
    while (updates_done_ < std::ssize(updates_)) {
      if (learners.all_reduce(std::int32_t{meeting.due()}, comm::Op::kMax) != 0) return;
      const std::int64_t before = learned_share();
      update(updates_[static_cast<std::size_t>(updates_done_)], context);
      ++updates_done_;
      if (learners.is_root()) meeting.done(learned_share() - before);
    }
  } catch (const comm::AgreedError&) {
    throw;
  } catch (const std::exception& error) {
    // The other learners have not heard of it, and wait for this one.
    const auto* const known = dynamic_cast<const base::Error*>(&error);
    const base::Code code = known != nullptr ? known->code() : base::Code::kBug;
    if (learners.size() > 1) comm::abort_job(static_cast<int>(code), error.what());
    throw;
  }
}

/// The policy of those that learn goes to those that search. Versions count the rounds that were
/// learned from: a rank that has not the version before has lost its place, and would search with
/// the wrong policy.
void Iteration::hand_over(train::RunContext& context) {
  std::int64_t counters[] = {version_, round_number_, empty_rounds_, nothing_left_ ? 1 : 0};
  context.world.broadcast(std::span<std::int64_t>(counters));
  base::require(version_ == counters[0], "hand_over: a rank has another version of the policy");
  version_ = round_number_ = counters[1];
  empty_rounds_ = counters[2];
  nothing_left_ = counters[3] != 0;
  context.world.broadcast(std::span<double>(&trained_, 1));
  const std::string failure =
      context.world.broadcast_text(context.failure ? context.failure->message() : std::string());
  const std::string hint =
      context.world.broadcast_text(context.failure ? context.failure->hint() : std::string());
  if (!failure.empty()) {
    context.failure.emplace(base::Error(base::Code::kNumeric, failure, hint), 0, comm::host_name());
  }
  const at::Tensor& values = workshop_->policy.learned();
  const at::Tensor host = values.to(at::kCPU).contiguous();
  context.world.broadcast(
      std::span<float>(host.data_ptr<float>(), static_cast<std::size_t>(host.numel())));
  if (!values.is_cpu()) values.copy_(host);
  if (snapshot_.defined()) snapshot_.copy_(host);
}

}  // namespace tenfold::mcts_dpo
