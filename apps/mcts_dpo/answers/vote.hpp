// Which of many solutions say the same.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::mcts_dpo {

/// What a solution says in a vote: of a multiple-choice question the one letter that it names, else
/// its answer, normalised. "" is no vote: no answer, or several letters.
std::string voted_answer(std::string_view text, std::span<const std::string> choices);

/// Answers that mean the same (equivalent()) are one party, named by the number of those before it.
class Parties {
 public:
  std::size_t of(const std::string& answer);

 private:
  std::vector<std::string> first_;  ///< answer of each party
  std::map<std::string, std::size_t> known_;
};

}  // namespace tenfold::mcts_dpo
