#include "mcts_dpo/search/step_sampler.hpp"

#include <numeric>

namespace tenfold::mcts_dpo {

namespace {

// The splitter is not for official rules and is not asked under them.
StepRules incremental(const StepRules& rules) {
  return rules.kind == StepRules::Kind::kOfficial ? StepRules{} : rules;
}

void append_end(Step& step, const Prompts& prompts) {
  step.tokens.push_back(prompts.ends().front());
  step.terminal = step.end_appended = true;
}

}  // namespace

StepWatcher::StepWatcher(const Prompts& prompts, const StepRules& rules,
                         std::span<const std::int32_t> before, bool whole)
    : prompts_(&prompts),
      whole_(whole),
      official_(rules.kind == StepRules::Kind::kOfficial),
      detokenizer_(prompts.tokenizer(), before),
      splitter_(incremental(rules)) {}

bool StepWatcher::push(std::int32_t token) {
  if (whole_ || prompts_->is_end(token)) return false;
  const std::string piece = detokenizer_.push(token);
  if (official_) {
    pieces_.push_back(piece);
    return false;
  }
  ended_ = splitter_.push(piece);
  return ended_.has_value();
}

Step StepWatcher::cut(const nn::GeneratedSample& sample, std::size_t cap, bool at_root,
                      bool single) const {
  Step step;
  std::size_t length = sample.tokens.size();
  const bool ended = sample.reason == nn::StopReason::kEnd;
  step.terminal = ended;
  step.truncated = sample.reason == nn::StopReason::kMostTokens;
  if (ended_) length = *ended_;
  bool add_end = false;
  if (official_ && !whole_) {
    const OfficialStep found = official_step(pieces_, {cap, ended, at_root, single});
    length = found.tokens + (ended && found.tokens == pieces_.size() ? 1 : 0);
    add_end = found.ends_solution && length == found.tokens;
    step.terminal = found.ends_solution || length > found.tokens;
    step.truncated = found.truncated;
  }
  step.tokens.assign(sample.tokens.begin(),
                     sample.tokens.begin() + static_cast<std::ptrdiff_t>(length));
  for (std::size_t i = 0; i < length; ++i) step.log_prob += double{sample.log_probabilities[i]};
  if (add_end || length == 0) append_end(step, *prompts_);
  return step;
}

}  // namespace tenfold::mcts_dpo
