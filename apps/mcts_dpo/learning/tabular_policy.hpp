// Preferences learned by a table: one question, answers without steps, a softmax over logits. What
// theorems 3.1 and 3.2 of Xie et al. 2024 speak of, with the loss that the language model learns
// by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mcts_dpo/learning/preference_loss.hpp"

namespace tenfold::mcts_dpo {

/// log pi of each answer; answer 0 is the right one, the others are wrong.
using LogPolicy = std::vector<double>;

/// 0.05 for the right answer, 0.9 for the last one, the rest shared by those between. wrong: at
/// least 2.
LogPolicy misled_policy(std::size_t wrong);

/// The end of gradient flow from start (and reference) on the sum of the losses of the pairs
/// (answer 0, loser) for each different loser: the minimiser whose logits differ from the start's
/// along these pairs only. Throws Code::kBug where the loss has none (alpha 0 with kSigmoid).
LogPolicy minimiser(const LogPolicy& start, const std::vector<std::size_t>& losers,
                    double smoothing, const PreferenceOptions& options);

/// Online: each iteration prefers answer 0 to the wrong answer that is now the most likely one,
/// goes to the minimiser, and takes it for the reference. Returns pi(answer 0) before and after
/// each iteration [iterations + 1]; losers, if given, gets which each one had.
std::vector<double> learn_online(std::size_t wrong, std::size_t iterations, double smoothing,
                                 const PreferenceOptions& options,
                                 std::vector<std::size_t>* losers = nullptr);

/// What one run of the offline sampler has seen.
struct OfflineCurves {
  std::vector<double> mean;   ///< pi(answer 0) before and after each iteration, mean over runs
  std::vector<double> stuck;  ///< share of runs that have not drawn the likeliest wrong answer yet
};

/// Offline: a fixed sampler draws the loser of each iteration's pair, the likeliest wrong answer
/// (the last one) with probability epsilon, the others alike; the policy is the minimiser over all
/// pairs so far, with the first policy as the start and reference. repeats runs, run r from a
/// random stream of its own.
OfflineCurves learn_offline(std::size_t wrong, std::size_t iterations, double epsilon,
                            std::size_t repeats, std::uint32_t seed, double smoothing,
                            const PreferenceOptions& options);

}  // namespace tenfold::mcts_dpo
