// What --dry-run does with rounds of search and learning.
#include <algorithm>

#include "mcts_dpo/modes/iterate.hpp"
#include "mcts_dpo/modes/memory_plan.hpp"
#include "mcts_dpo/modes/rehearsal.hpp"

namespace tenfold::mcts_dpo {

void Iteration::rehearse(train::RunContext& context) {
  context.step += step(context);
  if (context.roles && !context.roles->learner(context.world.rank())) return;
  const std::int64_t positions = workshop_->policy.model().config().positions;
  std::int64_t prompt = 1;
  for (const Question& each : questions_) {
    prompt = std::max<std::int64_t>(prompt, std::ssize(workshop_->prompts.question(each)));
  }
  // Twice: what the first leaves behind is there while the second computes.
  for (int times = 0; times < 2; ++times) {
    if (preferences()) {
      learner_->prefer(longest_pairs(config_, prompt, positions), preference_options(config_),
                       config_.lr);
    } else {
      learner_->imitate(collects() ? longest_sequences(config_, prompt, positions)
                                   : longest_of(teacher_, config_.batch),
                        config_.lr);
    }
  }
}

std::string Iteration::rehearsed(train::RunContext& context, double peak) {
  if (context.roles) return {};  // two kinds of ranks
  return memory_text(workshop_->policy.model().config(),
                     training_plan(config_, context, learner_->largest_pass()), context, peak);
}

}  // namespace tenfold::mcts_dpo
