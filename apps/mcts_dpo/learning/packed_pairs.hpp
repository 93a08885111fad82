// Pairs as one forward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "mcts_dpo/learning/preference_pair.hpp"
#include "nn/transformer/activation_plan.hpp"
#include "nn/transformer/token_trie.hpp"

namespace tenfold::mcts_dpo {

/// Tokens of pairs as rows of one block. packed: one row per question, what its pairs share once;
/// else one row per continuation.
class PackedPairs {
 public:
  PackedPairs(std::span<const PreferencePair> pairs, std::span<const std::size_t> items,
              bool packed);

  /// Log-probabilities of winners and losers, summed over their tokens: [items] each, with a graph
  /// where weights have gradients.
  struct Sums {
    at::Tensor winner, loser;
    nn::LearningPass pass{};  ///< tokens, length and predictions of it
  };
  Sums sums(const nn::TransformerWeights& weights, const at::Device& device,
            std::int64_t chunk) const;
  std::int64_t tokens() const;  ///< without padding

 private:
  struct Span {
    std::int64_t owner = 0;  ///< 2 item: winner, 2 item + 1: loser
    std::size_t row = 0;
    std::vector<std::int32_t> nodes;
  };
  void add(std::int64_t owner, std::size_t row, const PreferencePair& pair,
           const std::vector<std::int32_t>& continuation);

  std::vector<nn::TokenTrie> tries_;
  std::vector<Span> spans_;
  std::int64_t items_;
};

}  // namespace tenfold::mcts_dpo
