// How good a policy is on questions that it never learned from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mcts_dpo/generation/solutions.hpp"
#include "mcts_dpo/meeting.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

struct Accuracy {
  double accuracy = 0;    ///< share of right answers
  double unparsable = 0;  ///< share without an answer
  double tokens = 0;      ///< mean length of a solution
  std::int64_t questions = 0;
};

/// One greedy solution of each question.
SamplePlan greedy_samples();
/// Of such solutions, [question][1].
Accuracy greedy_accuracy(std::span<const std::vector<Solution>> solutions);
/// Collective: draws and measures; questions are dealt to ranks by their number. The same on any
/// number of ranks where the decoder's rows are.
Accuracy greedy_accuracy(const std::vector<Question>& questions, SolutionSampler& sampler,
                         Meeting& meeting, const comm::Communicator& world);

/// What `samples` solutions of each question give (Chen et al. 2021; Wang et al. 2023).
struct SampledAccuracy {
  std::vector<std::int64_t> counts;      ///< 1, 2, 4, ... up to samples
  std::vector<double> pass_at;           ///< share of questions with a right one among k: unbiased
  std::vector<double> self_consistency;  ///< share where the majority of the first k is right
  double tokens = 0;                     ///< of a question's samples together, mean
};
SamplePlan evaluation_samples(const Config& config);
/// 1, 2, 4, ... below --eval-samples, and that.
std::vector<std::int64_t> sample_counts(const Config& config);
/// Of such solutions, [question][samples].
SampledAccuracy sampled_accuracy(const Config& config, const Prompts& prompts,
                                 std::span<const Question> questions,
                                 std::span<const std::vector<Solution>> solutions);

/// 1 - C(n - c, k) / C(n, k): probability that k of n samples, c of them right, hold a right one.
double pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k);

}  // namespace tenfold::mcts_dpo
