// A round's search trees, and the pairs taken from them, as columns: a row is a tree, a node, a
// pair.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "mcts_dpo/learning/preference_pair.hpp"
#include "mcts_dpo/search/tree_pairs.hpp"
#include "search/tree.hpp"

namespace tenfold::mcts_dpo {

/// Whether all lines up to and with a node's step are right, where that is known.
enum class Truth : std::uint8_t { kWrong = 0, kRight = 1, kUnknown = 2 };

/// What a search does not know of its tree.
struct TreeNote {
  std::uint64_t question = 0;      ///< its number in the run, which pairs name
  std::string id, answer;          ///< the question's own
  bool right = false;              ///< the committed path ends in a right answer
  std::vector<std::string> texts;  ///< [nodes] of each node's own step; the root's is the prompt
  std::vector<Truth> truths;       ///< [nodes]
};

/// Texts one after the other; the end of each.
struct TextColumn {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint64_t> begins, ends;
  void add(std::string_view text);
};

/// Numbers of nodes are those in their own tree, from 0; of trees the row in the table.
class TreeTable {
 public:
  /// Throws Code::kBug when a note does not have a text and a truth for each node.
  void add(const search::Tree& tree, std::span<const search::NodeId> committed,
           const TreeNote& note);
  /// Pairs of trees that were added. Throws Code::kBug for another question.
  void add(std::span<const PreferencePair> pairs, std::int64_t policy_updates);
  /// Likewise, places that gave none.
  void add(const PairTally& tally);

  struct Trees {
    std::vector<std::uint64_t> question, first_node;
    std::vector<std::uint32_t> nodes;
    std::vector<std::uint8_t> right;
    TextColumn id, answer;
  };
  struct Nodes {
    std::vector<std::uint32_t> tree, parent, depth, visits, flags;
    std::vector<double> q, v, reward, self_evaluation, outcome, prior, log_prob;
    std::vector<std::uint8_t> committed, truth;
    std::vector<std::uint64_t> token_begin, token_end;
    std::vector<std::int32_t> tokens;
    TextColumn text;
  };
  struct Pairs {
    std::vector<std::uint32_t> tree, parent, winner, winner_end, loser, loser_end;
    std::vector<double> alpha, gap, reference_winner, reference_loser;
    std::vector<std::int64_t> policy_updates;
  };
  struct Dropped {
    std::vector<std::uint32_t> tree, node;
    std::vector<std::uint8_t> reason;
  };
  const Trees& trees() const { return trees_; }
  const Nodes& nodes() const { return nodes_; }
  const Pairs& pairs() const { return pairs_; }
  const Dropped& dropped() const { return dropped_; }
  const PairTally& tally() const { return tally_; }

 private:
  std::uint32_t row_of(std::int64_t question) const;

  Trees trees_;
  Nodes nodes_;
  Pairs pairs_;
  Dropped dropped_;
  PairTally tally_;
  std::map<std::uint64_t, std::uint32_t> rows_;
};

}  // namespace tenfold::mcts_dpo
