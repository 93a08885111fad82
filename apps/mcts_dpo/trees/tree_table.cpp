#include "mcts_dpo/trees/tree_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::mcts_dpo {

using search::NodeId;

void TextColumn::add(std::string_view text) {
  begins.push_back(bytes.size());
  bytes.insert(bytes.end(), text.begin(), text.end());
  ends.push_back(bytes.size());
}

void TreeTable::add(const search::Tree& tree, std::span<const NodeId> committed,
                    const TreeNote& note) {
  base::require(note.texts.size() == tree.size() && note.truths.size() == tree.size(),
                "TreeTable: a note that is not of this tree");
  const auto row = static_cast<std::uint32_t>(trees_.question.size());
  rows_[note.question] = row;
  trees_.question.push_back(note.question);
  trees_.first_node.push_back(nodes_.tree.size());
  trees_.nodes.push_back(tree.size());
  trees_.right.push_back(note.right ? 1 : 0);
  trees_.id.add(note.id);
  trees_.answer.add(note.answer);
  for (NodeId node = 0; node < tree.size(); ++node) {
    nodes_.tree.push_back(row);
    nodes_.parent.push_back(tree.parent(node));
    nodes_.depth.push_back(tree.depth(node));
    nodes_.visits.push_back(tree.visits(node));
    nodes_.flags.push_back(tree.flags(node));
    nodes_.q.push_back(tree.q(node));
    nodes_.v.push_back(tree.v(node));
    nodes_.reward.push_back(tree.reward(node));
    nodes_.self_evaluation.push_back(tree.self_evaluation(node));
    nodes_.outcome.push_back(tree.outcome(node));
    nodes_.prior.push_back(tree.prior(node));
    nodes_.log_prob.push_back(tree.log_prob(node));
    const bool on_path = std::find(committed.begin(), committed.end(), node) != committed.end();
    nodes_.committed.push_back(on_path ? 1 : 0);
    nodes_.truth.push_back(static_cast<std::uint8_t>(note.truths[node]));
    nodes_.token_begin.push_back(nodes_.tokens.size());
    const auto items = tree.items(node);
    nodes_.tokens.insert(nodes_.tokens.end(), items.begin(), items.end());
    nodes_.token_end.push_back(nodes_.tokens.size());
    nodes_.text.add(note.texts[node]);
  }
}

std::uint32_t TreeTable::row_of(std::int64_t question) const {
  const auto found = rows_.find(static_cast<std::uint64_t>(question));
  if (found == rows_.end()) {
    base::require(false, fmt::format("TreeTable: no tree of question {}", question));
  }
  return found->second;
}

void TreeTable::add(std::span<const PreferencePair> pairs, std::int64_t policy_updates) {
  for (const PreferencePair& pair : pairs) {
    pairs_.tree.push_back(row_of(pair.question));
    pairs_.parent.push_back(pair.nodes.parent);
    pairs_.winner.push_back(pair.nodes.winner);
    pairs_.winner_end.push_back(pair.nodes.winner_end);
    pairs_.loser.push_back(pair.nodes.loser);
    pairs_.loser_end.push_back(pair.nodes.loser_end);
    pairs_.alpha.push_back(pair.smoothing);
    pairs_.gap.push_back(pair.gap);
    pairs_.reference_winner.push_back(pair.reference_winner);
    pairs_.reference_loser.push_back(pair.reference_loser);
    pairs_.policy_updates.push_back(policy_updates);
  }
}

void TreeTable::add(const PairTally& tally) {
  for (const DroppedPlace& each : tally.places) {
    dropped_.tree.push_back(row_of(each.question));
    dropped_.node.push_back(each.node);
    dropped_.reason.push_back(static_cast<std::uint8_t>(each.reason));
  }
  tally_ += tally;
}

}  // namespace tenfold::mcts_dpo
