#include "mcts_dpo/modes/learning_metrics.hpp"

namespace tenfold::mcts_dpo {

void declare_evaluation_metrics(train::Metrics& metrics) {
  metrics.declare_rank0("eval/accuracy", "",
                        "share of questions that a greedy solution answers right", "max");
  metrics.declare_rank0("eval/unparsable", "", "share whose solution has no answer", "min");
  metrics.declare_rank0("eval/tokens", "tokens", "mean length of a greedy solution");
}

void declare_checker_metrics(train::Metrics& metrics, const SymbolicChecker& checker) {
  using Counts = SymbolicChecker::Counts;
  const auto count = [&](const char* name, const char* unit, const char* description,
                         const char* better, std::int64_t Counts::*which) {
    metrics.declare({name, unit, description, "sum", better});
    metrics.follow(name,
                   [&checker, which] { return static_cast<double>(checker.counts().*which); });
  };
  count("answers/symbolic_asked", "pairs", "of answers that SymPy was asked about", "",
        &Counts::asked);
  count("answers/symbolic_same", "pairs", "of them: the same expression", "", &Counts::same);
  count("answers/symbolic_unanswered", "pairs",
        "of them: no verdict in time, or a process that died; counted as different", "min",
        &Counts::unanswered);
  count("answers/symbolic_starts", "processes", "of SymPy that were started", "min",
        &Counts::starts);
}

void record(train::Metrics& metrics, std::uint64_t step, const Accuracy& found) {
  metrics.row("eval/accuracy", step, {found.accuracy});
  metrics.row("eval/unparsable", step, {found.unparsable});
  metrics.row("eval/tokens", step, {found.tokens});
}

void declare_learning_metrics(train::Metrics& metrics, bool preferences) {
  metrics.declare_rank0("train/loss", "nats", "mean loss of the updates", "min");
  metrics.declare_rank0("train/gradient_norm", "", "mean norm of the gradient before clipping");
  metrics.declare_rank0("train/lr", "", "step size of the last update");
  if (!preferences) return;
  metrics.declare_rank0("train/margin", "nats", "mean beta h of the pairs", "max");
  metrics.declare_rank0("train/pair_accuracy", "", "share of pairs with h > 0", "max");
  metrics.declare_rank0("train/winner_log_prob", "nats", "mean log-probability of winners");
  metrics.declare_rank0("train/loser_log_prob", "nats", "mean log-probability of losers");
  metrics.declare_rank0("train/winner_drift", "nats", "the same, less the reference's: winners");
  metrics.declare_rank0("train/loser_drift", "nats", "the same, less the reference's: losers");
}

void UpdateMeans::add(const UpdateReport& report) {
  sums_.tokens += report.tokens;
  if (report.skipped) return;
  sums_.loss += report.loss;
  sums_.gradient_norm += report.gradient_norm;
  sums_.margin += report.margin;
  sums_.accuracy += report.accuracy;
  sums_.winner += report.winner;
  sums_.loser += report.loser;
  sums_.winner_drift += report.winner_drift;
  sums_.loser_drift += report.loser_drift;
  ++count_;
}

void UpdateMeans::publish(train::Metrics& metrics, std::uint64_t step, double lr,
                          bool preferences) {
  if (count_ == 0) return;
  const auto row = [&](const char* name, double sum) {
    metrics.row(name, step, {sum / static_cast<double>(count_)});
  };
  row("train/loss", sums_.loss);
  row("train/gradient_norm", sums_.gradient_norm);
  metrics.row("train/lr", step, {lr});
  if (preferences) {
    row("train/margin", sums_.margin);
    row("train/pair_accuracy", sums_.accuracy);
    row("train/winner_log_prob", sums_.winner);
    row("train/loser_log_prob", sums_.loser);
    row("train/winner_drift", sums_.winner_drift);
    row("train/loser_drift", sums_.loser_drift);
  }
  sums_ = {};
  count_ = 0;
}

}  // namespace tenfold::mcts_dpo
