#include "mcts_dpo/evaluation.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "mcts_dpo/answers/vote.hpp"

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

/// Of a solution that says nothing in a vote.
constexpr std::size_t kNoVote = std::numeric_limits<std::size_t>::max();

// Whether the party that most of the first k solutions vote for is right, as its first solution is;
// of equal counts the one that came first.
bool majority_is_right(const std::vector<Solution>& solutions,
                       const std::vector<std::size_t>& votes, std::size_t k) {
  std::map<std::size_t, std::size_t> counts;
  for (std::size_t i = 0; i < k; ++i) {
    if (votes[i] != kNoVote) ++counts[votes[i]];
  }
  std::size_t best = k, most = 0;
  for (std::size_t i = 0; i < k; ++i) {
    if (votes[i] == kNoVote || counts[votes[i]] <= most) continue;
    most = counts[votes[i]];
    best = i;
  }
  return best < k && solutions[best].judgement.verdict == Verdict::kRight;
}

// Right, unparsable, tokens.
using GreedySums = std::array<std::int64_t, 3>;

void add(const Solution& solution, GreedySums& sums) {
  sums[0] += solution.judgement.verdict == Verdict::kRight ? 1 : 0;
  sums[1] += solution.judgement.verdict == Verdict::kUnparsable ? 1 : 0;
  sums[2] += std::ssize(solution.tokens);
}

Accuracy accuracy_of(const GreedySums& sums, std::size_t questions) {
  const auto share = [&](std::int64_t sum) {
    return static_cast<double>(sum) / static_cast<double>(questions);
  };
  return {share(sums[0]), share(sums[1]), share(sums[2]), static_cast<std::int64_t>(questions)};
}

}  // namespace

SamplePlan greedy_samples() {
  SamplePlan plan{1, {}, SampleUse::kEvaluation};
  plan.sampling.temperature = 0;
  return plan;
}

Accuracy greedy_accuracy(std::span<const std::vector<Solution>> solutions) {
  GreedySums sums{};
  for (const std::vector<Solution>& each : solutions) add(each.front(), sums);
  return accuracy_of(sums, solutions.size());
}

Accuracy greedy_accuracy(const std::vector<Question>& questions, SolutionSampler& sampler,
                         Meeting& meeting, const comm::Communicator& world) {
  GreedySums sums{};
  meeting.begin(std::ssize(questions) + 1);  // more than all: due only when a rank has failed
  meeting.work([&] {
    sampler.begin(dealt(questions, world), greedy_samples(), 0);
    while (!sampler.idle() && !meeting.due()) {
      for (const SolutionSampler::Drawn& each : sampler.advance()) {
        add(each.solutions.front(), sums);
      }
    }
  });
  world.all_reduce(std::span<std::int64_t>(sums), comm::Op::kSum);
  return accuracy_of(sums, questions.size());
}

double pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k) {
  if (n - c < k) return 1;
  double none = 1;
  for (std::int64_t i = n - c + 1; i <= n; ++i) {
    none *= 1 - static_cast<double>(k) / static_cast<double>(i);
  }
  return 1 - none;
}

SamplePlan evaluation_samples(const Config& config) {
  return {config.eval_samples, sampling_at(config, config.eval_temperature),
          SampleUse::kEvaluation};
}

std::vector<std::int64_t> sample_counts(const Config& config) {
  std::vector<std::int64_t> counts;
  for (std::int64_t k = 1; k < config.eval_samples; k *= 2) counts.push_back(k);
  counts.push_back(config.eval_samples);
  return counts;
}

SampledAccuracy sampled_accuracy(const Config& config, const Prompts& prompts,
                                 std::span<const Question> questions,
                                 std::span<const std::vector<Solution>> solutions) {
  SampledAccuracy result;
  result.counts = sample_counts(config);
  std::vector<std::int64_t> right(solutions.size());
  std::vector<std::int64_t> majorities(result.counts.size());
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < solutions.size(); ++i) {
    std::vector<std::size_t> votes;
    Parties parties;
    for (const Solution& solution : solutions[i]) {
      const std::string answer = voted_answer(prompts.text(solution.tokens), questions[i].choices);
      votes.push_back(answer.empty() ? kNoVote : parties.of(answer));
      tokens += std::ssize(solution.tokens);
      right[i] += solution.judgement.verdict == Verdict::kRight ? 1 : 0;
    }
    for (std::size_t j = 0; j < result.counts.size(); ++j) {
      const auto k = static_cast<std::size_t>(result.counts[j]);
      majorities[j] += majority_is_right(solutions[i], votes, k) ? 1 : 0;
    }
  }
  const auto count = static_cast<double>(solutions.size());
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
