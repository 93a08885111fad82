// --mode iterate: rounds of search (or sampling) with the present policy and learning from what was
// found (section 3, algorithm 1); its baselines are other ways to fill a round.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcts_dpo/modes/collector.hpp"
#include "mcts_dpo/modes/learning_metrics.hpp"
#include "mcts_dpo/modes/lessons.hpp"
#include "mcts_dpo/modes/workshop.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

/// A step is a question that was searched, or one whose round's updates advanced by its share: a
/// round of Q questions is 2 Q steps, and a checkpoint can be taken in the middle of either half.
class Iteration final : public train::Experiment {
 public:
  explicit Iteration(const Config& config) : config_(config) {}

  void build(train::RunContext& context) override;
  void state(store::StateRegistry& registry) override;
  std::uint64_t step(train::RunContext& context) override;
  void rehearse(train::RunContext& context) override;
  std::string rehearsed(train::RunContext& context, double peak) override;
  void evaluate(train::RunContext& context) override;
  std::string summary(train::RunContext& context) override;
  std::uint64_t total_steps() const override;
  std::uint64_t evaluate_every() const override;
  std::string step_unit() const override { return "half-questions"; }

 private:
  bool preferences() const;
  bool collects() const { return config_.method != "sft-continue"; }
  std::uint64_t number() const { return static_cast<std::uint64_t>(round_number_); }
  std::uint64_t total_of_round() const { return static_cast<std::uint64_t>(2 * config_.questions); }
  /// Every round is the same share of a run, however many updates it has.
  UpdatePlace place() const;
  at::Tensor searching_parameters() const;
  Round round() const { return round_of(number()); }
  Round round_of(std::uint64_t number) const;
  /// Rounds of ranks that learn while others search: see iterate_apart.cpp.
  struct Stage {
    std::uint64_t searched = 0;  ///< number of the round that is searched
    bool searches = false, learns = false;
    std::uint64_t first = 0, end = 0;  ///< steps of the run
    std::uint64_t units = 0;           ///< questions and shares of updates
  };
  Stage stage() const;
  std::uint64_t step_apart(train::RunContext& context);
  void begin_stage(const Stage& stage, train::RunContext& context);
  std::uint64_t work_apart(const Stage& stage, train::RunContext& context);
  void learn_apart(Meeting& meeting, train::RunContext& context);
  /// Of the round's updates that are done, in questions.
  std::int64_t learned_share() const;
  void hand_over(train::RunContext& context);
  void make_collector(train::RunContext& context);
  void start_collecting(const Round& round, RoundRecords& records, train::RunContext& context);
  void begin_round(train::RunContext& context);
  std::uint64_t collect(train::RunContext& context);
  void prepare(train::RunContext& context);
  void score(const comm::Communicator& learners);
  void keep_trees(const std::vector<SearchedTree>& trees, train::RunContext& context) const;
  std::uint64_t learn(train::RunContext& context);
  void update(const std::vector<std::size_t>& items, train::RunContext& context);
  void check_sampling(const UpdateReport& report, train::RunContext& context);
  void end_round(train::RunContext& context);
  /// See iterate_empty.cpp.
  void judge_emptiness(train::RunContext& context);
  void refuse_emptiness(const train::RunContext& context);
  void count_tokens(train::RunContext& context);

  const Config& config_;
  std::unique_ptr<Workshop> workshop_;
  std::unique_ptr<PolicyLearner> learner_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<RoundRecords> records_;  ///< of the round that is learned from
  std::unique_ptr<RoundRecords> ahead_;    ///< with roles: of the one that is searched meanwhile
  std::vector<Question> questions_;
  std::vector<Imitation> teacher_;
  at::Tensor reference_;  ///< the policy that the run began with
  /// Of the policy, to search with, where it is refreshed now and then, or others learn meanwhile.
  at::Tensor snapshot_;
  bool begun_ = false;  ///< collector and records are at the present round
  bool restored_ = false;
  Lessons lessons_;
  std::vector<std::vector<std::size_t>> updates_;
  bool prepared_ = false;
  bool nothing_left_ = false;  ///< to learn: the run ends with this step
  UpdateMeans means_;

  // state
  std::int64_t version_ = 0;  ///< with roles: of the policy that was handed over last
  std::int64_t round_number_ = 0, updates_done_ = 0, empty_rounds_ = 0;
  std::int64_t searching_updates_ = 0;  ///< that the policy which searched the round has had
  std::int64_t updates_before_ = 0;     ///< with roles: that the policy handed over has had
  double generated_ = 0, prefilled_ = 0, trained_ = 0;  ///< tokens, over all ranks
  double first_accuracy_ = 0, best_accuracy_ = 0, last_accuracy_ = 0;
  std::int64_t evaluations_ = 0;

  std::int64_t counted_generated_ = 0, counted_prefilled_ = 0;  ///< of this rank's decoder
  CollectorCounts counted_work_;                                ///< of this rank's collector
  CollectorCounts round_work_;  ///< of all ranks, since the last round that ended
  double last_lr_ = 0;
  std::optional<double> sampling_gap_;
};

}  // namespace tenfold::mcts_dpo
