#include "mcts_dpo/modes/sft.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/shuffle.hpp"
#include "mcts_dpo/modes/lessons.hpp"
#include "mcts_dpo/modes/memory_plan.hpp"
#include "mcts_dpo/modes/rehearsal.hpp"
#include "mcts_dpo/question_sets.hpp"

namespace tenfold::mcts_dpo {

namespace {

/// Batches that are filled from one pool of neighbours in length.
constexpr std::size_t kPoolBatches = 16;

}  // namespace

void SupervisedFineTuning::build(train::RunContext& context) {
  seed_ = context.seed;
  workshop_ = std::make_unique<Workshop>(config_, context);
  const std::size_t too_long = collect_examples(context.seed);
  const std::int64_t longest = workshop_->policy.model().config().positions;
  if (too_long > 0 && context.world.is_root()) {
    base::log_warning("{} examples are longer than the model's {} positions and are left out",
                      too_long, longest);
  }
  if (static_cast<std::int64_t>(examples_.size()) < config_.batch) {
    throw base::Error(
        base::Code::kData,
        fmt::format("{} examples do not fill a batch of {}", examples_.size(), config_.batch),
        "Give more examples, or a smaller --batch");
  }
  learner_ =
      std::make_unique<PolicyLearner>(learner_options(config_), workshop_->learned(), context);
  declare_learning_metrics(*context.metrics, false);
  context.metrics->declare(
      {"train/batch_loss", "nats", "mean loss of a token since the last row", "mean", "min", 1});
  context.metrics->headline({"eval/accuracy", "train/batch_loss"});
}

// Returns how many are longer than the model's positions.
std::size_t SupervisedFineTuning::collect_examples(std::uint32_t seed) {
  const Prompts& prompts = workshop_->prompts;
  const std::int64_t longest = workshop_->policy.model().config().positions;
  std::size_t too_long = 0;
  const auto take = [&](Imitation example) {
    if (static_cast<std::int64_t>(example.tokens.size()) > longest) {
      ++too_long;
    } else {
      examples_.push_back(std::move(example));
    }
  };
  const std::vector<Question> questions = teacher_questions(config_, seed, workshop_->train_file);
  for (const Question& question : questions) take(imitation_of(prompts, question));
  if (config_.verdicts == 0) return too_long;
  const double per_question = config_.verdicts / (1 - config_.verdicts);
  const auto count = static_cast<std::size_t>(per_question * static_cast<double>(questions.size()));
  for (const EvaluationExample& each : verdict_examples(config_, seed, count)) {
    Imitation example;
    example.tokens = prompts.evaluation_lesson(each, &example.prompt);
    take(std::move(example));
  }
  return too_long;
}

void SupervisedFineTuning::state(store::StateRegistry& registry) {
  registry.experiment("sft");
  registry.identity("task", config_.task);
  name_policy(registry, config_, workshop_->policy);
  train::register_flat(registry, "model", workshop_->policy.learned(),
                       workshop_->policy.learned_layout());
  learner_->state(registry);
  registry.replicated("progress/first_accuracy", &first_accuracy_);
  registry.replicated("progress/last_accuracy", &last_accuracy_);
  registry.replicated("progress/evaluated", &evaluated_);
}

// Shuffled, then sorted by length within pools, so that rows of a batch need little padding;
// batches come in an order of their own.
void SupervisedFineTuning::order_epoch(std::uint64_t epoch) {
  if (epoch_ == epoch) return;
  epoch_ = epoch;
  const auto size = static_cast<std::size_t>(config_.batch);
  order_.resize(examples_.size());
  for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
  base::Stream stream(seed_, base::Purpose::kDataOrder, 3, epoch);
  base::shuffle(order_, stream);
  for (std::size_t at = 0; at < order_.size(); at += kPoolBatches * size) {
    const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = order_.begin() +
                     static_cast<std::ptrdiff_t>(std::min(at + kPoolBatches * size, order_.size()));
    std::stable_sort(begin, end, [&](std::size_t a, std::size_t b) {
      return examples_[a].tokens.size() < examples_[b].tokens.size();
    });
  }
  batch_order_.resize(order_.size() / size);
  for (std::size_t i = 0; i < batch_order_.size(); ++i) batch_order_[i] = i;
  base::shuffle(batch_order_, stream);
}

std::vector<Imitation> SupervisedFineTuning::batch_of(std::uint64_t step) {
  const auto size = static_cast<std::size_t>(config_.batch);
  const std::uint64_t batches = examples_.size() / size;
  order_epoch(step / batches);
  const std::size_t first = batch_order_[step % batches] * size;
  std::vector<Imitation> batch;
  for (std::size_t i = first; i < first + size; ++i) batch.push_back(examples_[order_[i]]);
  return batch;
}

std::uint64_t SupervisedFineTuning::step(train::RunContext& context) {
  workshop_->begin_step(config_, context);
  const auto step = static_cast<double>(context.step), all = static_cast<double>(config_.sft_steps);
  const double lr = learning_rate(
      config_, {static_cast<std::int64_t>(context.step), step / all, (step + 1) / all});
  const UpdateReport report = learner_->imitate(batch_of(context.step), lr);
  if (!report.skipped) context.metrics->add("train/batch_loss", report.loss);
  return 1;
}

void SupervisedFineTuning::rehearse(train::RunContext& context) {
  workshop_->begin_step(config_, context);
  workshop_->decoder.set_parameters(workshop_->policy.merged());
  // Twice: what the first leaves behind is there while the second computes.
  for (int times = 0; times < 2; ++times) {
    learner_->imitate(longest_of(examples_, config_.batch), config_.lr);
    ++context.step;
  }
}

std::string SupervisedFineTuning::rehearsed(train::RunContext& context, double peak) {
  return memory_text(workshop_->policy.model().config(),
                     training_plan(config_, context, learner_->largest_pass()), context, peak);
}

void SupervisedFineTuning::evaluate(train::RunContext& context) {
  const Accuracy found = workshop_->evaluate(context);
  if (evaluated_ == 0) first_accuracy_ = found.accuracy;
  last_accuracy_ = found.accuracy;
  ++evaluated_;
}

std::string SupervisedFineTuning::summary(train::RunContext& context) {
  workshop_->export_policy(config_, context);
  return fmt::format(
      "{}: {:.1f} % of {} questions right after {} updates on {} examples, {:.1f} % before",
      config_.task, 100 * last_accuracy_, workshop_->evaluation.size(), config_.sft_steps,
      examples_.size(), 100 * first_accuracy_);
}

}  // namespace tenfold::mcts_dpo
