#include "mcts_dpo/learning/preference_loss.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/pow.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::mcts_dpo {

PreferenceLoss preference_loss_of(const std::string& word) {
  if (word == "sigmoid") return PreferenceLoss::kSigmoid;
  if (word == "ipo") return PreferenceLoss::kIpo;
  throw base::Error(base::Code::kUsage,
                    fmt::format("unknown preference loss '{}'", base::printable(word)),
                    "sigmoid or ipo");
}

at::Tensor preference_margin(const PreferenceTerms& terms, const PreferenceOptions& options) {
  at::Tensor winner = terms.winner - terms.reference_winner;
  at::Tensor loser = terms.loser - terms.reference_loser;
  const double power = options.loss == PreferenceLoss::kIpo ? 1 : options.length_power;
  if (power != 0) {
    winner = winner / at::pow(terms.winner_tokens, power);
    loser = loser / at::pow(terms.loser_tokens, power);
  }
  return winner - loser;
}

at::Tensor preference_loss(const PreferenceTerms& terms, const PreferenceOptions& options) {
  const at::Tensor margin = preference_margin(terms, options);
  at::Tensor loss;
  if (options.loss == PreferenceLoss::kIpo) {
    const at::Tensor off = margin - 1 / (2 * options.beta);
    loss = off * off;
  } else {
    loss = (terms.smoothing - 1) * at::log_sigmoid(options.beta * margin) -
           terms.smoothing * at::log_sigmoid(-options.beta * margin);
  }
  if (options.nll != 0) loss = loss - options.nll * terms.winner / terms.winner_tokens;
  return loss;
}

double visit_smoothing(std::uint64_t winner_visits, std::uint64_t loser_visits) {
  const auto lost = static_cast<double>(loser_visits);
  const auto won = static_cast<double>(std::max<std::uint64_t>(1, winner_visits));
  return std::min(0.5, lost / (won + lost));
}

}  // namespace tenfold::mcts_dpo
