#include "mcts_dpo/modes/iterate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "mcts_dpo/modes/search_metrics.hpp"
#include "mcts_dpo/modes/tree_records.hpp"
#include "mcts_dpo/question_sets.hpp"

namespace tenfold::mcts_dpo {

using base::Code;
using base::Error;

bool Iteration::preferences() const {
  return config_.method == "mcts-dpo" || config_.method == "instance-dpo";
}

std::uint64_t Iteration::total_steps() const {
  return static_cast<std::uint64_t>(2 * config_.questions * config_.rounds);
}

std::uint64_t Iteration::evaluate_every() const {
  return static_cast<std::uint64_t>(2 * config_.questions *
                                    std::max<std::int64_t>(1, config_.eval_every));
}

namespace {

void declare_round_metrics(train::Metrics& metrics, const Config& config) {
  metrics.declare_rank0("search/success", "",
                        "share of committed or sampled solutions that are right", "max");
  metrics.declare_rank0("train/sampling_gap", "nats",
                        "mean distance of winners' log-probabilities between decoding and learning",
                        "min");
  metrics.declare_rank0("search/lessons", "", "pairs or sequences of the round");
  metrics.declare_rank0("tokens/generated", "tokens", "drawn since the start, over all ranks");
  metrics.declare_rank0("tokens/prefilled", "tokens", "read since the start, over all ranks");
  metrics.declare_rank0("tokens/trained", "tokens", "in updates since the start");
  metrics.declare_rank0("tokens/compute", "tokens", "generated + prefilled + 3 trained");
  if (config.method != "mcts-dpo") return;
  declare_search_metrics(metrics);
  metrics.declare_rank0("pairs/smoothing", "", "mean alpha");
  metrics.declare_rank0("pairs/winners_right", "", "share of winners that are right in every line",
                        "max");
  metrics.declare_rank0("pairs/losers_wrong", "", "share of losers that are not", "max");
  metrics.declare_rank0("pairs/wrong_path", "trees", "left out: the committed solution is wrong");
  metrics.declare_rank0("pairs/only_child", "nodes", "left out: one child");
  metrics.declare_rank0("pairs/small_gap", "nodes", "left out: equal Q");
  metrics.declare_rank0("pairs/too_long", "nodes", "left out: longer than the model's positions");
  metrics.declare_rank0("pairs/over_limit", "nodes", "left out: enough pairs of the tree");
}

}  // namespace

void Iteration::build(train::RunContext& context) {
  workshop_ = std::make_unique<Workshop>(config_, context);
  const Policy& policy = workshop_->policy;
  if (keeps_reference(config_)) reference_ = policy.reference();
  if (config_.policy_refresh > 1 || (context.roles && config_.policy_refresh == 1)) {
    snapshot_ = policy.learned().to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
  }
  if (collects()) {
    questions_ =
        search_questions(config_, context.seed, workshop_->train_file,
                         [&](const Question& each) { return workshop_->fits(config_, each); });
    if (config_.method == "mcts-dpo") {
      workshop_->require_search_room(config_, questions_);
    } else {
      workshop_->require_room(config_, questions_, config_.samples);
    }
  } else {
    for (const Question& each : teacher_questions(config_, context.seed, workshop_->train_file)) {
      Imitation sequence = imitation_of(workshop_->prompts, each);
      if (std::ssize(sequence.tokens) > workshop_->decoder.longest()) continue;
      teacher_.push_back(std::move(sequence));
    }
    if (teacher_.empty()) {
      throw Error(Code::kData,
                  "all of the teacher's solutions are longer than the model's positions",
                  "Take a model with more positions");
    }
  }
  const auto questions = static_cast<std::size_t>(config_.questions);
  records_ = std::make_unique<RoundRecords>(questions, context.shards);
  if (context.roles) ahead_ = std::make_unique<RoundRecords>(questions, context.shards);
  learner_ =
      std::make_unique<PolicyLearner>(learner_options(config_), workshop_->learned(), context);
  declare_learning_metrics(*context.metrics, preferences());
  declare_round_metrics(*context.metrics, config_);
  context.metrics->headline({"eval/accuracy", "search/success", "train/loss"});
}

void Iteration::state(store::StateRegistry& registry) {
  registry.experiment("iterate");
  registry.identity("task", config_.task);
  registry.identity("method", config_.method);
  registry.identity("questions", fmt::format("{} a round", config_.questions));
  const Policy& policy = workshop_->policy;
  name_search(registry, config_);
  name_policy(registry, config_, policy);
  const nn::ParameterLayout& layout = policy.learned_layout();
  train::register_flat(registry, "model", policy.learned(), layout);
  if (snapshot_.defined()) train::register_flat(registry, "snapshot", snapshot_, layout);
  learner_->state(registry);
  records_->state(registry, "search/records");
  if (ahead_) ahead_->state(registry, "search/ahead");
  registry.replicated("progress/version", &version_);
  registry.replicated("progress/round", &round_number_);
  registry.replicated("progress/updates", &updates_done_);
  registry.replicated("progress/empty_rounds", &empty_rounds_);
  registry.replicated("progress/searching_updates", &searching_updates_);
  registry.replicated("progress/updates_before", &updates_before_);
  registry.replicated("progress/generated", &generated_);
  registry.replicated("progress/prefilled", &prefilled_);
  registry.replicated("progress/trained", &trained_);
  registry.replicated("progress/first_accuracy", &first_accuracy_);
  registry.replicated("progress/best_accuracy", &best_accuracy_);
  registry.replicated("progress/last_accuracy", &last_accuracy_);
  registry.replicated("progress/evaluations", &evaluations_);
  registry.on_load([this] { restored_ = true; });
}

at::Tensor Iteration::searching_parameters() const {
  if (config_.policy_refresh == 0) return reference_.to(at::kFloat);
  const Policy& policy = workshop_->policy;
  return snapshot_.defined() ? policy.merged(snapshot_.to(policy.learned().device()))
                             : policy.merged();
}

UpdatePlace Iteration::place() const {
  const double updates = static_cast<double>(updates_.size());
  const auto share = [&](std::int64_t done) {
    return (static_cast<double>(round_number_) + static_cast<double>(done) / updates) /
           static_cast<double>(config_.rounds);
  };
  return {learner_->steps(), share(updates_done_), share(updates_done_ + 1)};
}

Round Iteration::round_of(std::uint64_t number) const {
  const auto size = static_cast<std::size_t>(config_.questions);
  const std::uint64_t first = number * size;
  return {number, first, std::span(questions_).subspan(first, size)};
}

void Iteration::begin_round(train::RunContext& context) {
  if (restored_) records_->share_loaded(context.world);
  restored_ = false;
  begun_ = true;
  if (!collects() || records_->done() == records_->questions()) return;
  start_collecting(round(), *records_, context);
}

void Iteration::make_collector(train::RunContext& context) {
  collector_ = config_.method == "mcts-dpo"
                   ? make_search_collector(config_, workshop_->prompts, workshop_->decoder, context)
                   : make_sample_collector(config_, round_samples(config_), workshop_->prompts,
                                           workshop_->decoder, context);
}

void Iteration::start_collecting(const Round& round, RoundRecords& records,
                                 train::RunContext& context) {
  if (!collector_) make_collector(context);
  workshop_->decoder.set_parameters(searching_parameters());
  const nn::GenerationStatistics& now = workshop_->decoder.statistics();
  counted_generated_ = now.generated;
  counted_prefilled_ = now.prefilled;
  collector_->begin(round, records);
  counted_work_ = {};
}

std::uint64_t Iteration::step(train::RunContext& context) {
  workshop_->begin_step(config_, context);
  if (context.roles) return step_apart(context);
  if (!begun_) begin_round(context);
  if (collects() && records_->done() < records_->questions()) return collect(context);
  // The teacher's solutions are there: the first half of a round is over at once.
  if (!collects() && context.step % total_of_round() == 0) {
    return static_cast<std::uint64_t>(config_.questions);
  }
  if (!prepared_) prepare(context);
  return learn(context);
}

std::uint64_t Iteration::collect(train::RunContext& context) {
  const std::size_t before = records_->done();
  collector_->run(config_.slice == 0 ? config_.questions : config_.slice, *records_);
  count_tokens(context);
  return records_->done() - before;
}

void Iteration::count_tokens(train::RunContext& context) {
  const nn::GenerationStatistics& now = workshop_->decoder.statistics();
  std::vector<std::int64_t> sums{now.generated - counted_generated_,
                                 now.prefilled - counted_prefilled_};
  counted_generated_ = now.generated;
  counted_prefilled_ = now.prefilled;
  context.world.all_reduce(std::span(sums), comm::Op::kSum);
  if (config_.method == "mcts-dpo") {
    round_work_ += shared_work(context.world, counted_work_, collector_->counts());
  }
  generated_ += static_cast<double>(sums[0]);
  prefilled_ += static_cast<double>(sums[1]);
}

void Iteration::prepare(train::RunContext& context) {
  const std::int64_t longest = workshop_->policy.model().config().positions;
  const comm::Communicator& learners = context.group();
  std::vector<SearchedTree> trees;
  learners.agree([&] {
    if (config_.method == "mcts-dpo") {
      trees = searched_trees(config_, *records_, context.seed);
      lessons_ = lessons_of_trees(config_, round(), trees, context.seed, longest);
    } else if (config_.method == "instance-dpo") {
      lessons_ = lessons_of_instances(config_, round(), *records_, workshop_->prompts);
    } else if (config_.method == "expert-iteration") {
      lessons_ = lessons_of_experts(round(), *records_, workshop_->prompts);
    } else {
      lessons_ = lessons_of_teacher(teacher_, number(), static_cast<std::size_t>(config_.questions),
                                    context.seed);
    }
  });
  score(learners);
  keep_trees(trees, context);
  const std::string warning = truncation_warning(config_, lessons_.steps);
  if (!warning.empty() && learners.is_root()) {
    base::log_warning("round {}: {}", number() + 1, warning);
  }
  updates_ = plan_updates(config_, lessons_, context.seed, number());
  prepared_ = true;
}

// The reference's log-probabilities: questions are dealt to ranks, each number is one rank's.
void Iteration::score(const comm::Communicator& learners) {
  if (lessons_.pairs.empty()) return;
  std::vector<double> scores(2 * lessons_.pairs.size());
  learners.agree([&] {
    const nn::TransformerWeights weights(workshop_->policy.model(), reference_);
    std::vector<PreferencePair> mine;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < lessons_.pairs.size(); ++i) {
      const auto question = static_cast<std::uint64_t>(lessons_.pairs[i].question);
      if (question % static_cast<std::uint64_t>(learners.size()) !=
          static_cast<std::uint64_t>(learners.rank())) {
        continue;
      }
      mine.push_back(lessons_.pairs[i]);
      places.push_back(i);
    }
    score_pairs(weights, mine, learner_options(config_));
    for (std::size_t k = 0; k < mine.size(); ++k) {
      scores[2 * places[k]] = mine[k].reference_winner;
      scores[2 * places[k] + 1] = mine[k].reference_loser;
    }
  });
  learners.all_reduce(std::span(scores), comm::Op::kSum);
  for (std::size_t i = 0; i < lessons_.pairs.size(); ++i) {
    lessons_.pairs[i].reference_winner = scores[2 * i];
    lessons_.pairs[i].reference_loser = scores[2 * i + 1];
  }
}

void Iteration::keep_trees(const std::vector<SearchedTree>& trees,
                           train::RunContext& context) const {
  const std::int64_t every = tree_interval(config_.save_trees);
  const std::int64_t number = round_number_ + 1;
  if (config_.method != "mcts-dpo" || every == 0 || !context.world.is_root()) return;
  if (number % every != 0 && number != config_.rounds) return;
  RoundFacts facts = round_facts(config_, *workshop_, context);
  facts.round = number;
  facts.policy_updates = searching_updates_;
  save_trees(context, facts, [&](TreeTable& table) {
    for (std::size_t p = 0; p < trees.size(); ++p) {
      add_tree(config_, workshop_->prompts, round().first + p, round().questions[p], trees[p],
               table);
    }
    table.add(lessons_.pairs, searching_updates_);
    table.add(lessons_.tally);
  });
}

std::int64_t Iteration::learned_share() const {
  const auto all = static_cast<std::int64_t>(updates_.size());
  return all == 0 ? config_.questions : config_.questions * updates_done_ / all;
}

std::uint64_t Iteration::learn(train::RunContext& context) {
  const std::int64_t before = updates_.empty() ? 0 : learned_share();
  while (updates_done_ < std::ssize(updates_)) {
    update(updates_[static_cast<std::size_t>(updates_done_)], context);
    ++updates_done_;
    if (learned_share() > before) break;
  }
  const std::int64_t advanced = learned_share() - before;
  if (updates_done_ == std::ssize(updates_)) end_round(context);
  return nothing_left_ ? total_steps() - context.step : static_cast<std::uint64_t>(advanced);
}

void Iteration::update(const std::vector<std::size_t>& items, train::RunContext& context) {
  last_lr_ = learning_rate(config_, place());
  UpdateReport report;
  if (preferences()) {
    std::vector<PreferencePair> batch;
    for (const std::size_t item : items) batch.push_back(lessons_.pairs[item]);
    report = learner_->prefer(batch, preference_options(config_), last_lr_);
  } else {
    std::vector<Imitation> batch;
    for (const std::size_t item : items) batch.push_back(lessons_.sequences[item]);
    report = learner_->imitate(batch, last_lr_);
  }
  means_.add(report);
  if (updates_done_ == 0 && preferences()) check_sampling(report, context);
  if (config_.max_winner_drop > 0 && report.winner_drift < -config_.max_winner_drop) {
    if (context.world.is_root()) {
      base::log_warning(
          "round {}: winners are {:.2f} nats less likely than they were to the reference; the "
          "round's other updates are left out",
          number() + 1, -report.winner_drift);
    }
    updates_done_ = static_cast<std::int64_t>(updates_.size()) - 1;
  }
  trained_ += static_cast<double>(report.tokens);
}

// Before the first update of a round the policy is the one that sampled: what learns and what
// decodes must agree on its winners.
void Iteration::check_sampling(const UpdateReport& report, train::RunContext& context) {
  constexpr double kAlarm = 0.05;
  const bool same = (config_.policy_refresh == 1 && !context.roles) ||
                    (config_.policy_refresh == 0 && number() == 0);
  if (!same) return;
  sampling_gap_ = report.sampling_gap;
  if (report.sampling_gap > kAlarm && context.world.is_root()) {
    base::log_warning(
        "round {}: decoding and learning differ by {:.3f} nats in the log-probability of a winner",
        number() + 1, report.sampling_gap);
  }
}

void Iteration::end_round(train::RunContext& context) {
  train::Metrics& metrics = *context.metrics;
  const std::uint64_t step = (number() + 1) * total_of_round();
  means_.publish(metrics, step, last_lr_, preferences());
  if (sampling_gap_) metrics.row("train/sampling_gap", step, {*sampling_gap_});
  sampling_gap_.reset();
  if (collects()) metrics.row("search/success", step, {lessons_.success});
  metrics.row("search/lessons", step, {static_cast<double>(lessons_.size())});
  metrics.row("tokens/generated", step, {generated_});
  metrics.row("tokens/prefilled", step, {prefilled_});
  metrics.row("tokens/trained", step, {trained_});
  metrics.row("tokens/compute", step, {generated_ + prefilled_ + 3 * trained_});
  if (config_.method == "mcts-dpo") {
    record_work(metrics, step, std::exchange(round_work_, {}));
    record_lessons(metrics, step, lessons_,
                   label_truth(config_, round(), lessons_, workshop_->prompts));
  }
  judge_emptiness(context);
  ++round_number_;
  if (config_.policy_refresh > 0 && round_number_ % config_.policy_refresh == 0) {
    if (snapshot_.defined()) snapshot_.copy_(workshop_->policy.learned());
    // Where others search meanwhile, the next round's trees are of the policy before this one.
    searching_updates_ = context.roles ? updates_before_ : learner_->steps();
    updates_before_ = learner_->steps();
  }
  updates_done_ = 0;
  records_->clear();
  lessons_ = {};
  prepared_ = false;
  begun_ = false;
}

void Iteration::evaluate(train::RunContext& context) {
  const Accuracy found = workshop_->evaluate(context);
  if (evaluations_ == 0) first_accuracy_ = found.accuracy;
  best_accuracy_ = std::max(best_accuracy_, found.accuracy);
  last_accuracy_ = found.accuracy;
  ++evaluations_;
}

std::string Iteration::summary(train::RunContext& context) {
  workshop_->export_policy(config_, context);
  return fmt::format(
      "{}, {}: {:.1f} % of {} questions right at the end, {:.1f} % at best, {:.1f} % before "
      "({} updates in {} rounds; {:.0f} tokens generated, {:.0f} read, {:.0f} trained on)",
      config_.task, config_.method, 100 * last_accuracy_, workshop_->evaluation.size(),
      100 * best_accuracy_, 100 * first_accuracy_, learner_->steps(), round_number_, generated_,
      prefilled_, trained_);
}

}  // namespace tenfold::mcts_dpo
