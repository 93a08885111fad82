// Rounds whose halves overlap: ranks that search work on round k while those that learn work on
// round k - 1. What searches is one round behind what learns, on any number of ranks.
#include "base/error.hpp"
#include "mcts_dpo/modes/iterate.hpp"

namespace tenfold::mcts_dpo {

/// A step is a whole round for both; only the first and the last have one half. All ranks meet at
/// its end: the searches go to those that learn, the policy to those that search.
std::uint64_t Iteration::step_apart(train::RunContext& context) {
  if (restored_) {
    records_->share_loaded(context.world);
    restored_ = false;
  }
  const bool learner = context.roles->learner(context.world.rank());
  const std::uint64_t half = total_of_round() / 2;
  const std::uint64_t at = (context.step + half) / total_of_round();  // round that is searched
  const bool searches = at < static_cast<std::uint64_t>(config_.rounds);
  const bool learns = at > 0;
  if (!ahead_) ahead_ = std::make_unique<RoundRecords>(records_->questions(), context.shards);
  if (searches) start_collecting(round_of(at), *ahead_, context);
  if (learns && learner) {
    prepare(context);
    while (updates_done_ < static_cast<std::int64_t>(updates_.size())) {
      update(updates_[static_cast<std::size_t>(updates_done_)], context);
      ++updates_done_;
    }
  }
  if (searches) {
    collector_->run(config_.questions, *ahead_);
    count_tokens(context);
  }
  if (learns && learner) end_round(context);
  hand_over(context);
  records_->swap(*ahead_);
  ahead_->clear();
  if (nothing_left_) return total_steps() - context.step;
  return (searches ? half : 0) + (learns ? half : 0);
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
}

}  // namespace tenfold::mcts_dpo
