#include "mcts_dpo/modes/learning_metrics.hpp"

namespace tenfold::mcts_dpo {

namespace {

void rank0(train::Metrics& metrics, const char* name, const char* unit, const char* description,
           const char* better) {
  metrics.declare({name, unit, description, "rank0", better, 1});
}

}  // namespace

void declare_evaluation_metrics(train::Metrics& metrics) {
  rank0(metrics, "eval/accuracy", "", "share of questions that a greedy solution answers right",
        "max");
  rank0(metrics, "eval/unparsable", "", "share whose solution has no answer", "min");
  rank0(metrics, "eval/tokens", "tokens", "mean length of a greedy solution", "");
}

void record(train::Metrics& metrics, std::uint64_t step, const Accuracy& found) {
  metrics.row("eval/accuracy", step, {found.accuracy});
  metrics.row("eval/unparsable", step, {found.unparsable});
  metrics.row("eval/tokens", step, {found.tokens});
}

void declare_learning_metrics(train::Metrics& metrics, bool preferences) {
  rank0(metrics, "train/loss", "nats", "mean loss of the updates", "min");
  rank0(metrics, "train/gradient_norm", "", "mean norm of the gradient before clipping", "");
  rank0(metrics, "train/lr", "", "step size of the last update", "");
  if (!preferences) return;
  rank0(metrics, "train/margin", "nats", "mean beta h of the pairs", "max");
  rank0(metrics, "train/pair_accuracy", "", "share of pairs with h > 0", "max");
  rank0(metrics, "train/winner_log_prob", "nats", "mean log-probability of winners", "");
  rank0(metrics, "train/loser_log_prob", "nats", "mean log-probability of losers", "");
  rank0(metrics, "train/winner_drift", "nats", "the same, less the reference's: winners", "");
  rank0(metrics, "train/loser_drift", "nats", "the same, less the reference's: losers", "");
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
