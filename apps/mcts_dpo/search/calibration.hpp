// How well the model's opinion of partial solutions tells right from wrong ones.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mcts_dpo/config.hpp"
#include "mcts_dpo/data/question.hpp"
#include "mcts_dpo/generation/prompts.hpp"
#include "search/tree.hpp"

namespace tenfold::mcts_dpo {

/// A partial solution: what the model thinks of it, and whether it is right.
struct Opinion {
  double confidence = 0;
  bool right = false;
};

/// Area under the ROC curve: the probability that a right one has the higher confidence, ties half
/// (Hanley & McNeil 1982). NaN where all are right or all wrong.
double area_under_curve(std::vector<Opinion> opinions);
/// Mean distance between confidence and share of right ones over ten bins of equal width, weighted
/// by their counts (Guo et al. 2017, equation 3). NaN of none.
double expected_calibration_error(std::span<const Opinion> opinions);

/// Opinions of all nodes below the root whose truth is known: of generated word problems every
/// step, else the ends of solutions.
std::vector<Opinion> opinions_of(const Config& config, const Prompts& prompts,
                                 const Question& question, const search::Tree& tree);
/// Whether every line of a partial solution is right; nothing where that is not known.
std::optional<bool> steps_are_right(const Config& config, const Question& question,
                                    const std::string& partial);

}  // namespace tenfold::mcts_dpo
