// Rounds that give nothing to learn from: whether that is the end that was wanted, and else why.
#include "base/error.hpp"
#include "base/log.hpp"
#include "mcts_dpo/modes/iterate.hpp"

namespace tenfold::mcts_dpo {

using base::Code;
using base::Error;

namespace {

// Why a round gave no lesson, for who has to do something about it.
std::string why_nothing(const Config& config, const Lessons& lessons) {
  if (lessons.success == 0) return "all of the last round's solutions are wrong";
  const std::string right =
      fmt::format("{:.0f} % of the last round's solutions are right, but ", 100 * lessons.success);
  if (config.method == "mcts-dpo") {
    const PairTally& tally = lessons.tally;
    return right + fmt::format(
                       "left out are {} trees whose committed solution is wrong, {} places with "
                       "one child, {} with too small a gap of Q, {} too long for the model",
                       tally.wrong_path, tally.only_child, tally.small_gap, tally.too_long);
  }
  if (config.method == "instance-dpo") return right + "no question has right and wrong ones";
  return right + "none of these reached its end";
}

}  // namespace

// A policy that is right about everything has nothing to learn from itself: that is the end of the
// run, not a failure.
void Iteration::judge_emptiness(train::RunContext& context) {
  empty_rounds_ = lessons_.size() == 0 ? empty_rounds_ + 1 : 0;
  if (lessons_.size() > 0) return;
  if (context.world.is_root()) {
    base::log_warning("round {}: nothing to learn from ({:.0f} % of solutions are right)",
                      number() + 1, 100 * lessons_.success);
  }
  if (empty_rounds_ < config_.most_empty_rounds) return;
  nothing_left_ = lessons_.all_right;
  if (!nothing_left_) refuse_emptiness(context);
  if (!context.world.is_root()) return;
  base::log_info(
      "{} rounds in a row gave nothing to learn from, and all solutions are right: done "
      "after {} of {} rounds",
      empty_rounds_, number() + 1, config_.rounds);
  context.metrics->event(context.step, "note", "all solutions are right: nothing left to learn");
}

// What was learned before is kept where the user wanted it.
void Iteration::refuse_emptiness(const train::RunContext& context) {
  const comm::Communicator& learners = context.roles ? context.roles->group : context.world;
  learners.agree([&] {
    std::string kept;
    if (learner_->steps() > 0 && context.world.is_root()) {
      workshop_->write_exports(config_);
      if (!config_.export_to.empty()) {
        kept = fmt::format("; the policy after {} updates is in {}", learner_->steps(),
                           config_.export_to);
      }
    }
    throw Error(Code::kData,
                fmt::format("{} rounds in a row gave nothing to learn from: {}{}", empty_rounds_,
                            why_nothing(config_, lessons_), kept),
                "Other questions, more --iterations or --root-breadth (--samples), a lower "
                "--min-gap, --require-right-path false, or --self-evaluation forced");
  });
}

}  // namespace tenfold::mcts_dpo
