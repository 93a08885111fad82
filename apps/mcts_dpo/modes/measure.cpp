#include "mcts_dpo/modes/measure.hpp"

#include <cmath>

#include "mcts_dpo/modes/learning_metrics.hpp"
#include "mcts_dpo/modes/tree_records.hpp"
#include "mcts_dpo/search/calibration.hpp"
#include "mcts_dpo/search/tree_pairs.hpp"
#include "search/tree_search.hpp"

namespace tenfold::mcts_dpo {

namespace {

/// Names the random streams of searches that measure: no round of learning has it.
constexpr std::uint64_t kMeasurement = 1U << 30U;

void declare(train::Metrics& metrics, const Config& config) {
  const auto rank0 = [&](const char* name, const char* unit, const char* description,
                         const char* better, std::size_t width) {
    metrics.declare({name, unit, description, "rank0", better, width});
  };
  if (config.eval_by == "samples") {
    std::size_t width = 1;
    for (std::int64_t k = 1; k < config.eval_samples; k *= 2) ++width;
    rank0("eval/samples", "samples", "how many of each question: 1, 2, 4, ...", "", width);
    rank0("eval/pass_at", "", "share of questions with a right one among so many", "max", width);
    rank0("eval/self_consistency", "", "share whose majority is right", "max", width);
  }
  if (config.eval_by != "search") return;
  rank0("eval/search_accuracy", "", "share of committed solutions that are right", "max", 1);
  rank0("eval/search_tokens", "tokens", "generated per question", "min", 1);
  rank0("eval/any_right", "", "share of trees that hold a right solution", "max", 1);
  rank0("self_evaluation/auc", "", "area under the ROC curve of C against the truth of steps",
        "max", 1);
  rank0("self_evaluation/ece", "", "expected calibration error of C", "min", 1);
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
  records_ = std::make_unique<RoundRecords>(questions_, context.shards);
  declare(*context.metrics, config_);
}

void Measurement::state(store::StateRegistry& registry) {
  registry.experiment("evaluate");
  registry.identity("task", config_.task);
  registry.identity("by", config_.eval_by);
  name_policy(registry, config_, workshop_->policy);
  records_->state(registry, "search/records");
  registry.on_load([this] { restored_ = true; });
}

std::uint64_t Measurement::step(train::RunContext& context) {
  if (config_.eval_by == "search") return search(context);
  config_.eval_by == "greedy" ? measure_greedily(context) : measure_samples(context);
  return questions_;
}

void Measurement::measure_greedily(train::RunContext& context) {
  const Accuracy found = workshop_->evaluate(context);
  found_ = fmt::format("{:.1f} % right, {:.1f} % without an answer, {:.1f} tokens",
                       100 * found.accuracy, 100 * found.unparsable, found.tokens);
}

void Measurement::measure_samples(train::RunContext& context) {
  workshop_->decoder.set_parameters(workshop_->policy.merged());
  const SampledAccuracy found = sampled_accuracy(config_, workshop_->evaluation, workshop_->sampler,
                                                 workshop_->prompts, context.world);
  context.metrics->row("eval/samples", context.step, {found.counts.begin(), found.counts.end()});
  context.metrics->row("eval/pass_at", context.step, found.pass_at);
  context.metrics->row("eval/self_consistency", context.step, found.self_consistency);
  for (std::size_t i = 0; i < found.counts.size(); ++i) {
    found_ += fmt::format("{}{} samples: pass {:.1f} %, majority {:.1f} %", i == 0 ? "" : "; ",
                          found.counts[i], 100 * found.pass_at[i], 100 * found.self_consistency[i]);
  }
}

std::uint64_t Measurement::search(train::RunContext& context) {
  if (!begun_) {
    if (restored_) records_->share_loaded(context.world);
    workshop_->decoder.set_parameters(workshop_->policy.merged());
    collector_ = make_search_collector(config_, workshop_->prompts, workshop_->decoder, context);
    collector_->begin({kMeasurement, 0, workshop_->evaluation}, *records_);
    begun_ = true;
  }
  const std::size_t before = records_->done();
  collector_->run(config_.slice == 0 ? static_cast<std::int64_t>(questions_) : config_.slice,
                  *records_);
  if (records_->done() == questions_) report_search(context);
  return records_->done() - before;
}

void Measurement::report_search(train::RunContext& context) {
  const search::SearchOptions options = search_options(config_, context.seed);
  double right = 0, any = 0, tokens = 0;
  std::vector<Opinion> opinions;
  for (std::size_t p = 0; p < questions_; ++p) {
    search::ByteReader in(search::unsealed(records_->finished(p)));
    const auto each = search::TreeSearch::get(in, options);
    const search::Tree& tree = each.tree();
    right += right_path(tree, each.committed()) ? 1 : 0;
    bool holds = false;
    for (search::NodeId node = 1; node < tree.size(); ++node) {
      holds = holds || tree.outcome(node) > 0;
      tokens += static_cast<double>(tree.items(node).size());
    }
    any += holds ? 1 : 0;
    for (const Opinion& opinion :
         opinions_of(config_, workshop_->prompts, workshop_->evaluation[p], tree)) {
      opinions.push_back(opinion);
    }
  }
  const auto count = static_cast<double>(questions_);
  train::Metrics& metrics = *context.metrics;
  metrics.row("eval/search_accuracy", context.step, {right / count});
  metrics.row("eval/search_tokens", context.step, {tokens / count});
  metrics.row("eval/any_right", context.step, {any / count});
  found_ = fmt::format(
      "{:.1f} % right by search, {:.1f} % of trees hold a right solution, {:.1f} "
      "tokens in a tree",
      100 * right / count, 100 * any / count, tokens / count);
  keep_trees(context);
  if (config_.self_evaluation == "off") return;
  const double auc = area_under_curve(opinions);
  const double ece = expected_calibration_error(opinions);
  metrics.row("self_evaluation/auc", context.step, {auc});
  metrics.row("self_evaluation/ece", context.step, {ece});
  found_ += fmt::format("; self-evaluation: AUC {:.3f}, calibration error {:.3f}", auc, ece);
}

void Measurement::keep_trees(train::RunContext& context) const {
  if (tree_interval(config_.save_trees) == 0 || !context.world.is_root()) return;
  save_trees(context, round_facts(config_, *workshop_, context), [&](TreeTable& table) {
    const search::SearchOptions options = search_options(config_, context.seed);
    for (std::size_t p = 0; p < questions_; ++p) {
      search::ByteReader in(search::unsealed(records_->finished(p)));
      add_tree(config_, workshop_->prompts, p, workshop_->evaluation[p],
               search::TreeSearch::get(in, options), table);
    }
  });
}

std::string Measurement::summary(train::RunContext&) {
  return fmt::format("{}, {} questions, by {}: {}", config_.task, questions_, config_.eval_by,
                     found_);
}

}  // namespace tenfold::mcts_dpo
