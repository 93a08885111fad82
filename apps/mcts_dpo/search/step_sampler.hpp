// Where a sampled step ends, while its tokens come.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mcts_dpo/data/steps.hpp"
#include "mcts_dpo/generation/prompts.hpp"
#include "nn/decoding/generator.hpp"

namespace tenfold::mcts_dpo {

/// A step that was cut out of a sample.
struct Step {
  Tokens tokens;        ///< a prefix of what was sampled; a solution that ended has its end token
  double log_prob = 0;  ///< of the tokens that were sampled
  bool terminal = false;
  bool truncated = false;
  bool end_appended = false;  ///< the end was not sampled: its log-probability is not in the sum
};

/// Follows one sample.
class StepWatcher {
 public:
  /// before: the tokens from the prompt on; whole: no rule ends the step, only the solution's end.
  StepWatcher(const Prompts& prompts, const StepRules& rules, std::span<const std::int32_t> before,
              bool whole);

  /// True when the step is over.
  bool push(std::int32_t token);
  /// The step of a finished sample. cap: tokens that it could have; at_root and single as
  /// OfficialSample has them. Where the cut leaves nothing the step is the end alone.
  Step cut(const nn::GeneratedSample& sample, std::size_t cap, bool at_root, bool single) const;

 private:
  const Prompts* prompts_;
  bool whole_, official_;
  dataset::Detokenizer detokenizer_;
  StepSplitter splitter_;
  std::vector<std::string> pieces_;  ///< official rules alone
  std::optional<std::size_t> ended_;
};

}  // namespace tenfold::mcts_dpo
