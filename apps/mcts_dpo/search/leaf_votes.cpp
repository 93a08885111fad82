#include "mcts_dpo/search/leaf_votes.hpp"

#include <algorithm>

#include "mcts_dpo/answers/vote.hpp"
#include "mcts_dpo/search/answer_flags.hpp"

namespace tenfold::mcts_dpo {

std::vector<LeafVote> leaf_votes(const Prompts& prompts, const Question& question,
                                 const search::Tree& tree) {
  std::vector<LeafVote> votes;
  Parties parties;
  const auto prompt = static_cast<std::ptrdiff_t>(tree.items(0).size());
  for (search::NodeId node = 1; node < tree.size(); ++node) {
    if (!tree.has(node, search::kTerminal) || tree.visits(node) == 0) continue;
    const std::vector<std::int32_t> state = tree.state_items(node);
    const std::string answer = voted_answer(
        prompts.text(std::span(state).subspan(static_cast<std::size_t>(prompt))), question.choices);
    if (answer.empty()) continue;
    const std::size_t party = parties.of(answer);
    if (party == votes.size()) votes.push_back({answer, 0, 0, answer_is_right(tree, node)});
    votes[party].visits += tree.visits(node);
    votes[party].weighted += tree.visits(node) * tree.self_evaluation(node);
  }
  return votes;
}

bool vote_is_right(const std::vector<LeafVote>& votes, double LeafVote::*sum) {
  const auto most =
      std::max_element(votes.begin(), votes.end(),
                       [sum](const LeafVote& a, const LeafVote& b) { return a.*sum < b.*sum; });
  return most != votes.end() && most->right;
}

}  // namespace tenfold::mcts_dpo
