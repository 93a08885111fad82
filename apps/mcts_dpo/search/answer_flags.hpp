// What trees keep of the ends of solutions beside their rewards, which need not tell right from
// wrong: outcomes may be hidden, halved at the root, or graded.
#pragma once

#include <cstdint>

#include "search/tree.hpp"

namespace tenfold::mcts_dpo {

/// Bits of search::NodeFacts::flags.
enum AnswerFlag : std::uint32_t {
  kRightAnswer = search::kFirstFreeFlag,       ///< a terminal whose answer is right
  kWrongAnswer = search::kFirstFreeFlag << 1,  ///< a terminal whose answer is wrong
  kNoOpinion = search::kFirstFreeFlag << 2,    ///< its self-evaluation was too long for the model
};

/// Whether a solution ends at node with the right answer.
inline bool answer_is_right(const search::Tree& tree, search::NodeId node) {
  if (tree.has(node, kRightAnswer | kWrongAnswer | search::kUnparsable)) {
    return tree.has(node, kRightAnswer);
  }
  return tree.outcome(node) > 0;  // checkpoints that were written before there were these flags
}

}  // namespace tenfold::mcts_dpo
