#include "mcts_dpo/evaluation.hpp"

#include <algorithm>
#include <map>

#include "mcts_dpo/answers/extract.hpp"
#include "mcts_dpo/answers/normalise.hpp"

namespace tenfold::mcts_dpo {

namespace {

std::vector<SolutionSampler::Work> dealt(const std::vector<Question>& questions,
                                         const comm::Communicator& world) {
  std::vector<SolutionSampler::Work> mine;
  for (std::size_t i = static_cast<std::size_t>(world.rank()); i < questions.size();
       i += static_cast<std::size_t>(world.size())) {
    mine.push_back({i, &questions[i]});
  }
  return mine;
}

// The answer that most of the first k solutions give; of equal counts the one that came first.
bool majority_is_right(const std::vector<Solution>& solutions,
                       const std::vector<std::string>& votes, std::size_t k) {
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i < k; ++i) {
    if (!votes[i].empty()) ++counts[votes[i]];
  }
  std::size_t best = k, most = 0;
  for (std::size_t i = 0; i < k; ++i) {
    if (votes[i].empty() || counts[votes[i]] <= most) continue;
    most = counts[votes[i]];
    best = i;
  }
  return best < k && solutions[best].judgement.verdict == Verdict::kRight;
}

}  // namespace

std::string voted_answer(std::string_view text) {
  const auto answer = extract_answer(text);
  return answer ? normalised_answer(answer->text) : "";
}

Accuracy greedy_accuracy(const std::vector<Question>& questions, SolutionSampler& sampler,
                         const comm::Communicator& world) {
  std::vector<std::int64_t> sums(3);  // right, unparsable, tokens
  world.agree([&] {
    const auto mine = dealt(questions, world);
    nn::SamplingOptions greedy;
    greedy.temperature = 0;
    for (const auto& solutions : sampler.draw(mine, 1, greedy, SampleUse::kEvaluation, 0)) {
      const Judgement& judgement = solutions.front().judgement;
      sums[0] += judgement.verdict == Verdict::kRight ? 1 : 0;
      sums[1] += judgement.verdict == Verdict::kUnparsable ? 1 : 0;
      sums[2] += static_cast<std::int64_t>(solutions.front().tokens.size());
    }
  });
  world.all_reduce(std::span(sums), comm::Op::kSum);
  const auto count = static_cast<double>(questions.size());
  return {static_cast<double>(sums[0]) / count, static_cast<double>(sums[1]) / count,
          static_cast<double>(sums[2]) / count, static_cast<std::int64_t>(questions.size())};
}

double pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k) {
  if (n - c < k) return 1;
  double none = 1;
  for (std::int64_t i = n - c + 1; i <= n; ++i) {
    none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  }
  return 1 - none;
}

SampledAccuracy sampled_accuracy(const Config& config, const std::vector<Question>& questions,
                                 SolutionSampler& sampler, const Prompts& prompts,
                                 const comm::Communicator& world) {
  SampledAccuracy result;
  for (std::int64_t k = 1; k < config.eval_samples; k *= 2) result.counts.push_back(k);
  result.counts.push_back(config.eval_samples);
  std::vector<std::int64_t> right(questions.size());
  std::vector<std::int64_t> majorities(result.counts.size());
  std::int64_t tokens = 0;
  world.agree([&] {
    const auto mine = dealt(questions, world);
    nn::SamplingOptions sampling;
    sampling.temperature = config.eval_temperature;
    sampling.top_k = config.top_k;
    sampling.top_p = config.top_p;
    const auto all = sampler.draw(mine, config.eval_samples, sampling, SampleUse::kEvaluation, 1);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      std::vector<std::string> votes;
      for (const Solution& solution : all[i]) {
        votes.push_back(voted_answer(prompts.text(solution.tokens)));
        tokens += std::ssize(solution.tokens);
        right[mine[i].index] += solution.judgement.verdict == Verdict::kRight ? 1 : 0;
      }
      for (std::size_t j = 0; j < result.counts.size(); ++j) {
        const auto k = static_cast<std::size_t>(result.counts[j]);
        majorities[j] += majority_is_right(all[i], votes, k) ? 1 : 0;
      }
    }
  });
  world.all_reduce(std::span(right), comm::Op::kSum);
  world.all_reduce(std::span(majorities), comm::Op::kSum);
  world.all_reduce(std::span(&tokens, 1), comm::Op::kSum);
  const auto count = static_cast<double>(questions.size());
  result.tokens = static_cast<double>(tokens) / count;
  for (std::size_t j = 0; j < result.counts.size(); ++j) {
    double sum = 0;
    for (const std::int64_t c : right) sum += pass_at_k(config.eval_samples, c, result.counts[j]);
    result.pass_at.push_back(sum / count);
    result.self_consistency.push_back(static_cast<double>(majorities[j]) / count);
  }
  return result;
}

}  // namespace tenfold::mcts_dpo
