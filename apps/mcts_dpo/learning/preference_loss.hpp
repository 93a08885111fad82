// Losses on pairs of a better and a worse continuation of the same prefix.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace tenfold::mcts_dpo {

/// kSigmoid: DPO (Rafailov et al. 2023, equation 7) with label smoothing (conservative DPO,
/// Mitchell 2023; Xie et al. 2024, section 3.2). kIpo: Azar et al. 2024, equation 17, on log-ratios
/// per token.
enum class PreferenceLoss { kSigmoid, kIpo };
PreferenceLoss preference_loss_of(const std::string& word);  ///< "sigmoid" | "ipo"

struct PreferenceOptions {
  PreferenceLoss loss = PreferenceLoss::kSigmoid;
  double beta = 0.1;
  /// Weight of the winner's mean negative log-probability per token (Pang et al. 2024).
  double nll = 0;
  /// Log-ratios are divided by their number of tokens to this power; 0: sums. kIpo: always 1.
  double length_power = 0;
};

/// P pairs: log-probabilities summed over the tokens of each continuation. Float tensors [P] of one
/// type; winner and loser carry gradients.
struct PreferenceTerms {
  at::Tensor winner, loser;
  at::Tensor reference_winner, reference_loser;
  at::Tensor smoothing;  ///< alpha: how likely the label is wrong, 0 to 0.5
  at::Tensor winner_tokens, loser_tokens;
};

/// h [P]: how much more the policy prefers the winner than the reference does.
at::Tensor preference_margin(const PreferenceTerms& terms, const PreferenceOptions& options);
/// [P]: -(1 - alpha) log sigma(beta h) - alpha log sigma(-beta h), or (h - 1 / (2 beta))^2, plus
/// nll times the winner's mean negative log-probability. Finite for any finite h.
at::Tensor preference_loss(const PreferenceTerms& terms, const PreferenceOptions& options);

/// alpha from visit counts: N_l / (max(1, N_w) + N_l), at most 0.5 (Xie et al. 2024, section 3.2,
/// as their code bounds it).
double visit_smoothing(std::uint64_t winner_visits, std::uint64_t loser_visits);

}  // namespace tenfold::mcts_dpo
