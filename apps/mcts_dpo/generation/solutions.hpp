// Whole solutions of questions, and whether they are right.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mcts_dpo/answers/compare.hpp"
#include "mcts_dpo/answers/symbolic_checker.hpp"
#include "mcts_dpo/config.hpp"
#include "mcts_dpo/data/question.hpp"
#include "mcts_dpo/generation/decoder.hpp"
#include "mcts_dpo/generation/prompts.hpp"

namespace tenfold::mcts_dpo {

/// Verdict and reward of a solution's text: 1 right, -1 not; graded for choices where the options
/// say so.
struct Judgement {
  Verdict verdict = Verdict::kUnparsable;
  double reward = -1;
};
Judgement judge_solution(const Config& config, const Question& question, std::string_view text);

/// What asks computer algebra about answers, this process's; null without --symbolic-checker.
/// Throws Code::kData where its worker is missing.
SymbolicChecker* symbolic_checker(const Config& config);

struct Solution {
  Tokens tokens;  ///< with the end token, where it ended
  double log_prob = 0;
  bool ended = false;
  Judgement judgement;
};

/// How many solutions of each question, drawn how.
struct SamplePlan {
  std::int64_t count = 1;
  nn::SamplingOptions sampling;
  SampleUse use = SampleUse::kSolution;
};

/// Draws solutions in one batch. Not collective; what is drawn depends on the question, its index
/// and the options alone.
class SolutionSampler {
 public:
  SolutionSampler(const Config& config, const Prompts& prompts, Decoder& decoder,
                  std::uint32_t seed);

  struct Work {
    std::uint64_t index = 0;  ///< of the question: names its random streams
    const Question* question = nullptr;
  };
  /// Begins to draw; use and round go into the streams. The questions must live until all is drawn,
  /// and the decoder has no other work until then.
  void begin(std::vector<Work> work, const SamplePlan& plan, std::uint64_t round);
  /// One forward pass; the questions whose solutions are all there by it.
  struct Drawn {
    std::uint64_t index = 0;
    std::vector<Solution> solutions;
  };
  std::vector<Drawn> advance();
  /// Whether all is drawn.
  bool idle() const { return decoder_.generator().idle(); }

 private:
  nn::GenerationRequest request_of(const Work& work, const SamplePlan& plan,
                                   std::uint64_t round) const;
  Solution solution_of(const Question& question, const nn::GeneratedSample& sample) const;

  const Config& config_;
  const Prompts& prompts_;
  Decoder& decoder_;
  std::uint32_t seed_;
  std::vector<Work> work_;
};

}  // namespace tenfold::mcts_dpo
