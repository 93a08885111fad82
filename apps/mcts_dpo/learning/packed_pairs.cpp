#include "mcts_dpo/learning/packed_pairs.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>

#include "base/error.hpp"

namespace tenfold::mcts_dpo {

PackedPairs::PackedPairs(std::span<const PreferencePair> pairs, std::span<const std::size_t> items,
                         bool packed)
    : items_(static_cast<std::int64_t>(items.size())) {
  std::map<std::int64_t, std::size_t> row_of;  // by question
  for (std::size_t i = 0; i < items.size(); ++i) {
    const PreferencePair& pair = pairs[items[i]];
    base::require(!pair.prefix.empty() && !pair.winner.empty() && !pair.loser.empty(),
                  "PackedPairs: a pair needs a prefix and two continuations");
    const auto owner = static_cast<std::int64_t>(2 * i);
    if (!packed) {
      tries_.resize(tries_.size() + 2);
      add(owner, tries_.size() - 2, pair, pair.winner);
      add(owner + 1, tries_.size() - 1, pair, pair.loser);
      continue;
    }
    const auto [place, fresh] = row_of.emplace(pair.question, tries_.size());
    if (fresh) tries_.emplace_back();
    add(owner, place->second, pair, pair.winner);
    add(owner + 1, place->second, pair, pair.loser);
  }
}

void PackedPairs::add(std::int64_t owner, std::size_t row, const PreferencePair& pair,
                      const std::vector<std::int32_t>& continuation) {
  std::vector<std::int32_t> tokens = pair.prefix;
  tokens.insert(tokens.end(), continuation.begin(), continuation.end());
  const std::vector<std::int32_t> path = tries_[row].add(tokens);
  spans_.push_back(
      {owner, row, {path.end() - static_cast<std::ptrdiff_t>(continuation.size()), path.end()}});
}

std::int64_t PackedPairs::tokens() const {
  std::int64_t count = 0;
  for (const nn::TokenTrie& trie : tries_) count += trie.size();
  return count;
}

PackedPairs::Sums PackedPairs::sums(const nn::TransformerWeights& weights, const at::Device& device,
                                    std::int64_t chunk) const {
  const nn::TokenBlock block = nn::pack(tries_, weights.model().config(), device);
  nn::Predictions predictions;
  std::vector<std::int64_t> owners, places;
  std::map<std::pair<std::size_t, std::int32_t>, std::int64_t> place_of;  // each node once
  for (const Span& span : spans_) {
    for (const std::int32_t node : span.nodes) {
      const auto [place, fresh] = place_of.emplace(std::pair(span.row, node), 0);
      if (fresh) {
        place->second = predictions.add(tries_[span.row], static_cast<std::int64_t>(span.row),
                                        block.tokens.size(1), node);
      }
      owners.push_back(span.owner);
      places.push_back(place->second);
    }
  }
  const auto on_device = [&](std::vector<std::int64_t>& values) {
    return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kLong)
        .to(device, at::kLong, false, true);
  };
  const at::Tensor each =
      nn::predicted(weights, block, predictions, chunk).index_select(0, on_device(places));
  const at::Tensor sums =
      at::zeros({2 * items_}, each.options()).index_add(0, on_device(owners), each);
  const at::Tensor both = sums.view({items_, 2});
  return {both.select(1, 0), both.select(1, 1),
          nn::pass_of(block.tokens.size(0), block.tokens.size(1), predictions.rows.size())};
}

}  // namespace tenfold::mcts_dpo
