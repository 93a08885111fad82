#include "mcts_dpo/modes/theory.hpp"

#include <algorithm>

#include "mcts_dpo/learning/tabular_policy.hpp"
#include "mcts_dpo/modes/workshop.hpp"

namespace tenfold::mcts_dpo {

void Theory::build(train::RunContext& context) {
  const auto width = static_cast<std::uint64_t>(config_.theory_answers.size());
  online_.assign(width, 0);
  offline_.assign(width, 0);
  train::Metrics& metrics = *context.metrics;
  metrics.declare_rank0("theory/answers", "", "numbers of wrong answers, one a column", {}, width);
  metrics.declare_rank0("theory/online", "",
                        "probability of the right answer, sampled from the present policy", {},
                        width);
  metrics.declare_rank0("theory/offline", "",
                        "the same, pairs of a fixed sampler; mean over its runs", {}, width);
  metrics.declare_rank0("theory/unseen", "",
                        "share of its runs that never drew the likeliest wrong answer", {}, width);
  metrics.declare_rank0("theory/bound", "", "theorem 3.1: that share is at least 1 - 2 epsilon M");
  metrics.headline({"theory/online", "theory/offline"});
}

void Theory::state(store::StateRegistry& registry) {
  registry.experiment("theory");
  registry.replicated("theory/online", online_.data(), {online_.size()});
  registry.replicated("theory/offline", offline_.data(), {offline_.size()});
}

std::uint64_t Theory::step(train::RunContext& context) {
  const auto iterations = static_cast<std::size_t>(config_.rounds);
  const PreferenceOptions options = preference_options(config_);
  const double alpha = config_.smoothing == "constant" ? config_.smoothing_constant : 0;
  std::vector<std::vector<double>> online;
  std::vector<OfflineCurves> offline;
  for (const std::int64_t answers : config_.theory_answers) {
    const auto wrong = static_cast<std::size_t>(answers);
    online.push_back(learn_online(wrong, iterations, alpha, options));
    offline.push_back(learn_offline(wrong, iterations, config_.theory_epsilon,
                                    static_cast<std::size_t>(config_.theory_repeats), context.seed,
                                    alpha, options));
  }
  train::Metrics& metrics = *context.metrics;
  metrics.row("theory/answers", 0, {config_.theory_answers.begin(), config_.theory_answers.end()});
  std::vector<double> unseen(online.size());
  for (std::size_t i = 0; i <= iterations; ++i) {
    for (std::size_t k = 0; k < online.size(); ++k) {
      online_[k] = online[k][i];
      offline_[k] = offline[k].mean[i];
      unseen[k] = offline[k].stuck[i];
    }
    metrics.row("theory/online", i, online_);
    metrics.row("theory/offline", i, offline_);
    metrics.row("theory/unseen", i, unseen);
    metrics.row("theory/bound", i,
                {std::max(0.0, 1 - 2 * config_.theory_epsilon * static_cast<double>(i))});
  }
  return total_steps();
}

std::string Theory::summary(train::RunContext&) {
  std::string text =
      fmt::format("probability of the right answer after {} iterations:", config_.rounds);
  for (std::size_t k = 0; k < online_.size(); ++k) {
    text += fmt::format("{} {} wrong answers: {:.4f} online, {:.4f} offline", k == 0 ? "" : ";",
                        config_.theory_answers[k], online_[k], offline_[k]);
  }
  return text;
}

}  // namespace tenfold::mcts_dpo
