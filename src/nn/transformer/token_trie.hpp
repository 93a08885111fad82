// Token sequences that share prefixes, as one tree: what they share is computed once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/transformer/transformer.hpp"

namespace tenfold::nn {

/// A prefix tree of token sequences. Nodes are numbered in the order of their making: parents come
/// before children.
class TokenTrie {
 public:
  /// Adds a sequence. Returns the node of each of its tokens.
  std::vector<std::int32_t> add(std::span<const std::int32_t> tokens);

  std::int64_t size() const { return static_cast<std::int64_t>(nodes_.size()); }
  std::int32_t token(std::int32_t node) const { return at(node).token; }
  std::int32_t parent(std::int32_t node) const { return at(node).parent; }  ///< -1: none
  std::int32_t depth(std::int32_t node) const { return at(node).depth; }    ///< from 0

 private:
  struct Node {
    std::int32_t token, parent, depth;
    std::int32_t first_child, next_sibling;  ///< -1: none
  };
  const Node& at(std::int32_t node) const { return nodes_[static_cast<std::size_t>(node)]; }
  std::int32_t child(std::int32_t parent, std::int32_t token);

  std::vector<Node> nodes_;
  std::int32_t first_root_ = -1;
};

/// One row per trie: node n of trie b is token [b, n], at the position of its depth, and sees its
/// ancestors and itself (within the sliding window). The hidden states are those of the sequences
/// one by one. On device.
TokenBlock pack(std::span<const TokenTrie> tries, const TransformerConfig& config,
                const at::Device& device);

/// Which rows of pack()'s hidden states, as [B * L, width], predict which tokens.
struct Predictions {
  std::vector<std::int64_t> rows, targets;
  /// Node of trie number row of a block of length L; it must have a parent. Returns its place in
  /// rows; a node asked for twice has two.
  std::int64_t add(const TokenTrie& trie, std::int64_t row, std::int64_t length, std::int32_t node);
};

/// log p of every prediction, float32 [N]: one forward pass of block.
at::Tensor predicted(const TransformerWeights& weights, const TokenBlock& block,
                     const Predictions& predictions, std::int64_t chunk = 1024);

}  // namespace tenfold::nn
