// What a sampled step is to the search: prior, self-evaluation, outcome (StepExpander).
#include <cmath>

#include "mcts_dpo/generation/solutions.hpp"
#include "mcts_dpo/search/answer_flags.hpp"
#include "mcts_dpo/search/search_rules.hpp"
#include "mcts_dpo/search/step_expander.hpp"

namespace tenfold::mcts_dpo {

// Where there is no opinion (a prompt too long for the model; an official answer without a verdict,
// which is C = 0) nothing better is known than what was thought of the steps before.
double StepExpander::confidence_of(const Job& job, const Candidate& candidate,
                                   search::NodeFacts& facts) const {
  const bool official = config_.self_evaluation == "official";
  if (!candidate.self_evaluation || (official && *candidate.self_evaluation == 0)) {
    facts.flags |= kNoOpinion;
    return job.node == 0 && !official ? 0.5 : job.tree->self_evaluation(job.node);
  }
  const std::uint32_t depth = job.tree->depth(job.node);
  const bool damped = config_.depth_damp && depth > 3;
  return damped ? *candidate.self_evaluation / (static_cast<double>(depth) - 3)
                : *candidate.self_evaluation;
}

search::NodeFacts StepExpander::facts_of(const Job& job, const Candidate& candidate) {
  search::NodeFacts facts;
  const Step& step = candidate.step;
  const auto length = static_cast<double>(step.tokens.size());
  const double penalty = std::pow(length, config_.prior_exponent);
  facts.log_prob = step.log_prob;
  facts.prior = config_.prior == "paper" ? std::exp(step.log_prob) / penalty
                                         : std::exp(step.log_prob / penalty);
  facts.self_evaluation = confidence_of(job, candidate, facts);
  if (step.truncated) facts.flags |= search::kTruncated;
  if (candidate.injected) facts.flags |= search::kInjected;
  if (step.terminal) judge_end(job, candidate, facts);
  facts.reward = facts.outcome + facts.self_evaluation;
  return facts;
}

void StepExpander::judge_end(const Job& job, const Candidate& candidate, search::NodeFacts& facts) {
  const TreeNote& note = notes_.at(job.id);
  Tokens solution(job.path.begin() + static_cast<std::ptrdiff_t>(note.prompt_tokens),
                  job.path.end());
  const Tokens& step = candidate.step.tokens;
  solution.insert(solution.end(), step.begin(), step.end());
  const Question& question = question_of_(job.id);
  const Judgement judgement = judge_solution(config_, question, prompts_.text(solution));
  const std::uint32_t depth = job.tree->depth(job.node);
  facts.flags |= search::kTerminal;
  facts.outcome = outcomes_hidden(config_) ? 0 : judgement.reward;
  switch (judgement.verdict) {
    case Verdict::kRight:
      facts.flags |= kRightAnswer;
      ++statistics_.right;
      break;
    case Verdict::kWrong:
      facts.flags |= kWrongAnswer;
      ++statistics_.wrong;
      break;
    case Verdict::kUnparsable:  // seen without knowing what is right
      facts.flags |= search::kUnparsable;
      facts.outcome = config_.unparsable_reward;
      ++statistics_.unparsable;
      break;
  }
  if (config_.novelty && judgement.verdict == Verdict::kRight && question.answer_key.empty() &&
      !note.gold.empty() && solution != note.gold) {
    facts.outcome *= 1.25;
  }
  // One-shot guesses earn less (the published code).
  if (config_.graded_choices && facts.outcome > 0 && depth <= 1) {
    facts.outcome *= depth == 0 ? 0 : 0.5;
  }
}

}  // namespace tenfold::mcts_dpo
