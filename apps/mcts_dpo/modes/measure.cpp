#include "mcts_dpo/modes/measure.hpp"

#include <cmath>

#include "base/log.hpp"
#include "mcts_dpo/modes/learning_metrics.hpp"
#include "mcts_dpo/modes/search_metrics.hpp"
#include "mcts_dpo/modes/tree_records.hpp"
#include "mcts_dpo/search/answer_flags.hpp"
#include "mcts_dpo/search/calibration.hpp"
#include "mcts_dpo/search/leaf_votes.hpp"
#include "mcts_dpo/search/search_rules.hpp"
#include "mcts_dpo/search/tree_pairs.hpp"

namespace tenfold::mcts_dpo {

namespace {

/// Names the random streams of searches that measure: no round of learning has it.
constexpr std::uint64_t kMeasurement = 1U << 30U;

void declare(train::Metrics& metrics, const Config& config) {
  if (config.eval_by == "samples") {
    const std::size_t width = sample_counts(config).size();
    metrics.declare_rank0("eval/samples", "samples", "how many of each question: 1, 2, 4, ...", "",
                          width);
    metrics.declare_rank0("eval/pass_at", "", "share of questions with a right one among so many",
                          "max", width);
    metrics.declare_rank0("eval/self_consistency", "", "share whose majority is right", "max",
                          width);
    metrics.declare_rank0("eval/sample_tokens", "tokens", "of all samples of a question");
    metrics.declare_rank0("eval/majority_accuracy", "",
                          "share whose majority of all samples is right", "max");
  }
  if (config.eval_by != "search") return;
  metrics.declare_rank0("eval/search_accuracy", "", "share of committed solutions that are right",
                        "max");
  metrics.declare_rank0("eval/vote_accuracy", "",
                        "share whose solutions, by visits, vote for a right answer", "max");
  metrics.declare_rank0("eval/weighted_vote_accuracy", "", "the same with visits times C", "max");
  metrics.declare_rank0("eval/search_tokens", "tokens", "of all steps of a question's tree", "min");
  metrics.declare_rank0("eval/any_right", "", "share of trees that hold a right solution", "max");
  metrics.declare_rank0("self_evaluation/auc", "",
                        "area under the ROC curve of C against the truth of steps", "max");
  metrics.declare_rank0("self_evaluation/ece", "", "expected calibration error of C", "min");
  metrics.declare_rank0("search/generated", "tokens",
                        "drawn by searches since the row before, over all ranks");
  declare_search_metrics(metrics);
  metrics.declare_rank0("self_evaluation/mean", "", "mean C of steps whose truth is known");
}

}  // namespace

void Measurement::build(train::RunContext& context) {
  workshop_ = std::make_unique<Workshop>(config_, context);
  questions_ = workshop_->evaluation.size();
  if (config_.eval_by == "samples") {
    workshop_->require_room(config_, workshop_->evaluation, config_.eval_samples);
  } else if (config_.eval_by == "search") {
    workshop_->require_search_room(config_, workshop_->evaluation);
  }
  records_ = std::make_unique<RoundRecords>(
      questions_ * static_cast<std::uint64_t>(config_.root_searches), context.shards);
  declare(*context.metrics, config_);
  context.metrics->headline({config_.eval_by == "samples"  ? "eval/majority_accuracy"
                             : config_.eval_by == "search" ? "eval/search_accuracy"
                                                           : "eval/accuracy"});
}

void Measurement::state(store::StateRegistry& registry) {
  registry.experiment("evaluate");
  registry.identity("task", config_.task);
  registry.identity("by", config_.eval_by);
  name_search(registry, config_);
  name_policy(registry, config_, workshop_->policy);
  records_->state(registry, "search/records");
  registry.on_load([this] { restored_ = true; });
}

std::uint64_t Measurement::step(train::RunContext& context) {
  if (!begun_) begin(context);
  const std::size_t before = records_->done();
  collector_->run(config_.slice == 0 ? static_cast<std::int64_t>(total_steps()) : config_.slice,
                  *records_);
  if (config_.eval_by == "search") count_work(context);
  if (records_->done() == records_->questions()) report(context);
  return records_->done() - before;
}

void Measurement::begin(train::RunContext& context) {
  if (restored_) records_->share_loaded(context.world);
  const Prompts& prompts = workshop_->prompts;
  Decoder& decoder = workshop_->decoder;
  decoder.set_parameters(workshop_->policy.merged());
  std::uint64_t number = kMeasurement;
  if (config_.eval_by == "search") {
    collector_ = make_search_collector(config_, prompts, decoder, context);
    counted_ = decoder.statistics().generated;
  } else {
    const bool greedy = config_.eval_by == "greedy";
    const SamplePlan plan = greedy ? greedy_samples() : evaluation_samples(config_);
    collector_ = make_sample_collector(config_, plan, prompts, decoder, context);
    number = greedy ? 0 : 1;
  }
  collector_->begin(
      {number, 0, workshop_->evaluation, static_cast<std::size_t>(config_.root_searches)},
      *records_);
  begun_ = true;
}

void Measurement::report(train::RunContext& context) {
  if (config_.eval_by == "search") return report_search(context);
  std::vector<std::vector<Solution>> solutions;
  for (std::size_t p = 0; p < questions_; ++p) {
    solutions.push_back(solutions_of(records_->finished(p)));
  }
  if (config_.eval_by == "samples") return report_samples(solutions, context);
  const Accuracy found = greedy_accuracy(solutions);
  record(*context.metrics, questions_, found);
  found_ = fmt::format("{:.1f} % right, {:.1f} % without an answer, {:.1f} tokens",
                       100 * found.accuracy, 100 * found.unparsable, found.tokens);
}

void Measurement::report_samples(std::span<const std::vector<Solution>> solutions,
                                 train::RunContext& context) {
  const SampledAccuracy found =
      sampled_accuracy(config_, workshop_->prompts, workshop_->evaluation, solutions);
  context.metrics->row("eval/samples", questions_, {found.counts.begin(), found.counts.end()});
  context.metrics->row("eval/pass_at", questions_, found.pass_at);
  context.metrics->row("eval/self_consistency", questions_, found.self_consistency);
  context.metrics->row("eval/sample_tokens", questions_, {found.tokens});
  context.metrics->row("eval/majority_accuracy", questions_, {found.self_consistency.back()});
  for (std::size_t i = 0; i < found.counts.size(); ++i) {
    found_ += fmt::format("{}{} samples: pass {:.1f} %, majority {:.1f} %", i == 0 ? "" : "; ",
                          found.counts[i], 100 * found.pass_at[i], 100 * found.self_consistency[i]);
  }
}

void Measurement::report_search(train::RunContext& context) {
  const std::vector<SearchedTree> trees = searched_trees(config_, *records_, context.seed);
  double right = 0, any = 0, tokens = 0, vote = 0, weighted_vote = 0;
  for (std::size_t q = 0; q < trees.size(); ++q) {
    const SearchedTree& each = trees[q];
    right += right_path(each.tree, each.committed) ? 1 : 0;
    bool holds = false;
    for (search::NodeId node = 1; node < each.tree.size(); ++node) {
      holds = holds || answer_is_right(each.tree, node);
      tokens += static_cast<double>(each.tree.items(node).size());
    }
    any += holds ? 1 : 0;
    const std::vector<LeafVote> votes =
        leaf_votes(workshop_->prompts, workshop_->evaluation[q], each.tree);
    vote += vote_is_right(votes, &LeafVote::visits) ? 1 : 0;
    weighted_vote += vote_is_right(votes, &LeafVote::weighted) ? 1 : 0;
  }
  const auto count = static_cast<double>(questions_);
  train::Metrics& metrics = *context.metrics;
  const auto row = [&](const char* name, double value) {
    metrics.row(name, context.step, {value});
  };
  row("eval/search_accuracy", right / count);
  row("eval/vote_accuracy", vote / count);
  row("eval/search_tokens", tokens / count);
  row("eval/any_right", any / count);
  found_ = fmt::format(
      "{}{:.1f} % right by search, {:.1f} % by the vote of its solutions, {:.1f} % of trees hold a "
      "right solution, {:.1f} tokens in a tree",
      outcomes_hidden(config_) ? "answers hidden, " : "", 100 * right / count, 100 * vote / count,
      100 * any / count, tokens / count);
  const StepTally tally = step_tally(config_, trees);
  record_tally(metrics, context.step, tally);
  const std::string warning = truncation_warning(config_, tally);
  if (!warning.empty() && context.world.is_root()) base::log_warning("{}", warning);
  keep_trees(trees, context);
  if (config_.self_evaluation == "off") return;
  row("eval/weighted_vote_accuracy", weighted_vote / count);
  found_ += fmt::format("; weighted by self-evaluation the vote has {:.1f} %",
                        100 * weighted_vote / count);
  report_opinions(trees, context);
}

void Measurement::report_opinions(const std::vector<SearchedTree>& trees,
                                  train::RunContext& context) {
  std::vector<Opinion> opinions;
  for (std::size_t q = 0; q < trees.size(); ++q) {
    const auto found =
        opinions_of(config_, workshop_->prompts, workshop_->evaluation[q], trees[q].tree);
    opinions.insert(opinions.end(), found.begin(), found.end());
  }
  const double auc = area_under_curve(opinions);
  const double ece = expected_calibration_error(opinions);
  train::Metrics& metrics = *context.metrics;
  metrics.row("self_evaluation/auc", context.step, {auc});
  metrics.row("self_evaluation/ece", context.step, {ece});
  double sum = 0;
  for (const Opinion& each : opinions) sum += each.confidence;
  metrics.row("self_evaluation/mean", context.step, {sum / static_cast<double>(opinions.size())});
  found_ += fmt::format("; self-evaluation: AUC {:.3f}, calibration error {:.3f}", auc, ece);
}

void Measurement::count_work(train::RunContext& context) {
  train::Metrics& metrics = *context.metrics;
  const std::int64_t generated = workshop_->decoder.statistics().generated;
  std::int64_t fresh = generated - counted_;
  counted_ = generated;
  context.world.all_reduce(std::span(&fresh, 1), comm::Op::kSum);
  metrics.row("search/generated", context.step, {static_cast<double>(fresh)});
  record_work(metrics, context.step, shared_work(context.world, work_, collector_->counts()));
}

void Measurement::keep_trees(const std::vector<SearchedTree>& trees,
                             train::RunContext& context) const {
  if (tree_interval(config_.save_trees) == 0 || !context.world.is_root()) return;
  save_trees(context, round_facts(config_, *workshop_, context), [&](TreeTable& table) {
    for (std::size_t q = 0; q < trees.size(); ++q) {
      add_tree(config_, workshop_->prompts, q, workshop_->evaluation[q], trees[q], table);
    }
  });
}

std::string Measurement::summary(train::RunContext&) {
  return fmt::format("{}, {} questions, by {}: {}", config_.task, questions_, config_.eval_by,
                     found_);
}

}  // namespace tenfold::mcts_dpo
