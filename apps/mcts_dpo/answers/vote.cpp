#include "mcts_dpo/answers/vote.hpp"

#include "mcts_dpo/answers/compare.hpp"
#include "mcts_dpo/answers/extract.hpp"
#include "mcts_dpo/answers/normalise.hpp"

namespace tenfold::mcts_dpo {

std::string voted_answer(std::string_view text, std::span<const std::string> choices) {
  const auto answer = extract_answer(text);
  if (!answer) return "";
  if (!choices.empty()) {
    const std::vector<std::size_t> named = named_choices(answer->text, choices.size());
    if (named.size() > 1) return "";
    if (named.size() == 1) return std::string(1, static_cast<char>('A' + named.front()));
  }
  return normalised_answer(answer->text);
}

std::size_t Parties::of(const std::string& answer) {
  const auto [place, added] = known_.try_emplace(answer, first_.size());
  if (!added) return place->second;
  for (std::size_t party = 0; party < first_.size(); ++party) {
    if (equivalent(answer, first_[party])) return place->second = party;
  }
  first_.push_back(answer);
  return place->second;
}

}  // namespace tenfold::mcts_dpo
