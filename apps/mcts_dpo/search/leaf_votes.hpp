// The answer that most of a search's solutions give: what a search says without knowing the right
// one.
#pragma once

#include <string>
#include <vector>

#include "mcts_dpo/generation/prompts.hpp"
#include "search/tree.hpp"

namespace tenfold::mcts_dpo {

struct LeafVote {
  std::string answer;   ///< as the first of its party has it, normalised
  double visits = 0;    ///< sum over the solutions in the tree that end with it
  double weighted = 0;  ///< the same sum of visits times C, the model's own opinion
  bool right = false;   ///< by the first of them
};

/// Of all answers that visited ends of solutions give, in the order of their first nodes; solutions
/// without an answer do not vote.
std::vector<LeafVote> leaf_votes(const Prompts& prompts, const Question& question,
                                 const search::Tree& tree);

/// Whether the answer with the largest sum is right; of equal sums the first. No votes: false.
bool vote_is_right(const std::vector<LeafVote>& votes, double LeafVote::*sum);

}  // namespace tenfold::mcts_dpo
