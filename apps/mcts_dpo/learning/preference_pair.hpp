// What the policy learns from: pairs of continuations, and sequences to imitate.
#pragma once

#include <cstdint>
#include <vector>

namespace tenfold::mcts_dpo {

/// Nodes of a search tree that a pair was made of: siblings below parent, and where the chains of
/// only children that went with them end. All 0 of pairs of whole solutions.
struct PairNodes {
  std::uint32_t parent = 0, winner = 0, winner_end = 0, loser = 0, loser_end = 0;
};

/// Two continuations of one prefix of a question's solution, the first judged better.
struct PreferencePair {
  std::int64_t question = 0;  ///< pairs of one question share the forward pass of what they share
  std::vector<std::int32_t> prefix;         ///< prompt and steps before: at least one token
  std::vector<std::int32_t> winner, loser;  ///< at least one token each
  double smoothing = 0;                     ///< alpha of the label-smoothed loss
  double gap = 0;                           ///< Q of the winner minus Q of the loser
  double reference_winner = 0, reference_loser = 0;  ///< summed log-probabilities, see
                                                     ///< score_pairs
  double sampled_winner = 0;  ///< the winner's, as it was sampled: of the policy that searched
  PairNodes nodes{};
};

/// A sequence of which the tokens from prompt on are to be made likely.
struct Imitation {
  std::vector<std::int32_t> tokens;
  std::int64_t prompt = 1;  ///< at least one token
};

}  // namespace tenfold::mcts_dpo
