#include "mcts_dpo/generation/solutions.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::mcts_dpo {

// One a process: runs of a process come one after the other, and its Python takes a second to
// start.
SymbolicChecker* symbolic_checker(const Config& config) {
  if (!config.symbolic_checker) return nullptr;
  static SymbolicChecker checker({.timeout = config.symbolic_timeout});
  return &checker;
}

Judgement judge_solution(const Config& config, const Question& question, std::string_view text) {
  if (!question.answer_key.empty()) {
    const ChoiceGrade grade =
        grade_choice(text, question.choices, question.answer_key, config.graded_choices);
    return {grade.verdict, grade.reward};
  }
  CompareOptions options;
  options.percent_leniency = config.percent_leniency;
  options.symbolic = symbolic_checker(config);
  const Verdict verdict = judge(text, question.answer, options);
  return {verdict, verdict == Verdict::kRight ? 1.0 : -1.0};
}

SolutionSampler::SolutionSampler(const Config& config, const Prompts& prompts, Decoder& decoder,
                                 std::uint32_t seed)
    : config_(config), prompts_(prompts), decoder_(decoder), seed_(seed) {}

nn::GenerationRequest SolutionSampler::request_of(const Work& work, const SamplePlan& plan,
                                                  std::uint64_t round) const {
  nn::GenerationRequest request;
  request.pending = prompts_.question(*work.question);
  request.ends = prompts_.ends();
  const std::int64_t room = decoder_.longest() - static_cast<std::int64_t>(request.pending.size());
  for (std::int64_t k = 0; k < plan.count; ++k) {
    nn::SampleSpec sample;
    sample.key = sample_key(seed_, plan.use, round, work.index, 0, static_cast<std::uint64_t>(k));
    sample.options = plan.sampling;
    sample.most_tokens = std::max<std::int64_t>(1, std::min(room, config_.solution_tokens));
    request.samples.push_back(sample);
  }
  return request;
}

void SolutionSampler::begin(std::vector<Work> work, const SamplePlan& plan, std::uint64_t round) {
  nn::Generator& generator = decoder_.generator();
  base::require(generator.idle(), "SolutionSampler: the generator has other work");
  work_ = std::move(work);
  for (std::size_t i = 0; i < work_.size(); ++i) {
    nn::GenerationRequest request = request_of(work_[i], plan, round);
    request.id = static_cast<std::int64_t>(i);
    generator.submit(std::move(request));
  }
}

std::vector<SolutionSampler::Drawn> SolutionSampler::advance() {
  std::vector<Drawn> drawn;
  for (const nn::GenerationResult& result : decoder_.generator().advance()) {
    const Work& work = work_[static_cast<std::size_t>(result.id)];
    drawn.push_back({work.index, {}});
    for (const nn::GeneratedSample& sample : result.samples) {
      drawn.back().solutions.push_back(solution_of(*work.question, sample));
      decoder_.blocks().release(sample.sequence);
    }
  }
  return drawn;
}

Solution SolutionSampler::solution_of(const Question& question,
                                      const nn::GeneratedSample& sample) const {
  Solution solution;
  solution.tokens = sample.tokens;
  for (const float each : sample.log_probabilities) solution.log_prob += double{each};
  solution.ended = sample.reason == nn::StopReason::kEnd;
  solution.judgement = judge_solution(config_, question, prompts_.text(sample.tokens));
  return solution;
}

}  // namespace tenfold::mcts_dpo
