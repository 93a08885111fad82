// Steps of solutions as children of search nodes: sampled for all trees in one batch, judged by the
// model itself, rewarded where they end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "mcts_dpo/data/steps.hpp"
#include "mcts_dpo/generation/decoder.hpp"
#include "mcts_dpo/generation/prompts.hpp"
#include "mcts_dpo/search/branch_cache.hpp"
#include "mcts_dpo/search/self_evaluation.hpp"
#include "mcts_dpo/search/step_sampler.hpp"
#include "search/expander.hpp"

namespace tenfold::mcts_dpo {

struct ExpanderStatistics {
  std::uint64_t steps = 0, duplicates = 0, truncated = 0, injected = 0, ends_appended = 0;
  std::uint64_t similar = 0;  ///< samples that were dropped by --dedup-similarity
  std::uint64_t right = 0, wrong = 0, unparsable = 0;  ///< terminals
};

/// Tree ids name questions and, of several searches of one, which; a node's items are the tokens of
/// its step (the root's: the prompt). What a node gets is a function of the parameters, seed,
/// round, id and the tokens on the way there, where the decoder's rows are (the fused engine's).
class StepExpander final : public search::Expander {
 public:
  using QuestionOf = std::function<const Question&(std::uint64_t id)>;
  /// All references must outlive this; the decoder's parameters stay as they are meanwhile.
  StepExpander(const Config& config, const Prompts& prompts, Decoder& decoder, std::uint32_t seed,
               std::uint64_t round, QuestionOf question_of);
  ~StepExpander() override;

  search::Tree plant(std::uint64_t id) override;
  void submit(std::uint64_t id, const search::Tree& tree, search::NodeId node) override;
  void advance(std::vector<search::Expansion>& finished) override;
  void moved(std::uint64_t id, const search::Tree& tree, search::NodeId root) override;
  void ended(std::uint64_t id) override;
  double occupancy() const override;

  const ExpanderStatistics& statistics() const { return statistics_; }
  std::uint64_t evictions() const { return cache_.evictions(); }
  std::uint64_t long_evaluations() const { return evaluator_.too_long(); }

 private:
  struct Candidate {
    Step step;
    nn::Sequence sequence = nn::Sequence::kNone;  ///< all but the step's last token
    bool injected = false;
    std::optional<double> self_evaluation = 1;  ///< none: the steps' before
    std::vector<float> states;                  ///< where alike samples are dropped: SteppedStates
  };
  /// What nodes of one tree have in common.
  struct TreeNote {
    std::int64_t prompt_tokens = 0;
    Tokens gold;  ///< the given solution, where a step may be taken from it or measured by it
  };
  struct Job {
    std::uint64_t id = 0;
    const search::Tree* tree = nullptr;
    search::NodeId node = search::kNoNode;
    Tokens path;  ///< prompt and steps, to node
    std::vector<StepWatcher> watchers;
    std::vector<Candidate> candidates;
    std::int64_t cap = 0;
    bool whole = false;       ///< steps run to the solution's end
    std::size_t awaited = 0;  ///< requests and evaluations that are not answered
  };
  std::int64_t cap_of(const Job& job, const Question& question) const;
  void locate(const Job& job, const Tokens& step, nn::GenerationRequest& request);
  static std::int64_t known_tokens(const Job& job);
  void submit_samples(Job& job, const Question& question, std::int64_t number);
  void submit_injected(Job& job, const TreeNote& note, std::int64_t number);
  nn::SamplingOptions sampling(const Job& job, std::uint64_t child) const;
  void take_samples(Job& job, nn::GenerationResult& result);
  void take_injected(Job& job, nn::GenerationResult& result);
  void keep(Job& job, Candidate candidate);
  bool alike(const Candidate& a, const Candidate& b) const;
  void store(Job& job);
  void score_ends(Job& job, std::int64_t number);
  void evaluate(Job& job, std::int64_t number);
  void finish(Job& job, std::vector<search::Expansion>& finished);
  /// C: the model's own, or, where it has none, that of the steps before.
  double confidence_of(const Job& job, const Candidate& candidate, search::NodeFacts& facts) const;
  search::NodeFacts facts_of(const Job& job, const Candidate& candidate);
  void judge_end(const Job& job, const Candidate& candidate, search::NodeFacts& facts);
  std::int64_t tokens_left(const Job& job) const;
  const TreeNote& note_of(std::uint64_t id, const search::Tree& tree, const Question& question);

  const Config& config_;
  const Prompts& prompts_;
  Decoder& decoder_;
  std::uint32_t seed_;
  std::uint64_t round_;
  QuestionOf question_of_;
  StepRules rules_;
  BranchCache cache_;
  SelfEvaluator evaluator_;
  std::map<std::int64_t, Job> jobs_;         ///< by number
  std::map<std::uint64_t, TreeNote> notes_;  ///< by the tree's id
  std::int64_t next_job_ = 0;
  ExpanderStatistics statistics_;
};

}  // namespace tenfold::mcts_dpo
