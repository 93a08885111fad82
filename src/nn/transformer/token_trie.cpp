#include "nn/transformer/token_trie.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace tenfold::nn {

std::int32_t TokenTrie::child(std::int32_t parent, std::int32_t token) {
  std::int32_t* link =
      parent < 0 ? &first_root_ : &nodes_[static_cast<std::size_t>(parent)].first_child;
  while (*link >= 0) {
    Node& node = nodes_[static_cast<std::size_t>(*link)];
    if (node.token == token) return *link;
    link = &node.next_sibling;
  }
  const auto made = static_cast<std::int32_t>(nodes_.size());
  *link = made;
  nodes_.push_back({token, parent, parent < 0 ? 0 : depth(parent) + 1, -1, -1});
  return made;
}

std::vector<std::int32_t> TokenTrie::add(std::span<const std::int32_t> tokens) {
  std::vector<std::int32_t> path;
  path.reserve(tokens.size());
  std::int32_t node = -1;
  for (const std::int32_t token : tokens) path.push_back(node = child(node, token));
  return path;
}

namespace {

// Node by node: what the parent sees and itself, without what the window has left behind.
void fill_visible(const TokenTrie& trie, std::int64_t length, const TransformerConfig& config,
                  bool* visible) {
  for (std::int32_t node = 0; node < trie.size(); ++node) {
    bool* const row = visible + node * length;
    const std::int32_t parent = trie.parent(node);
    if (parent >= 0) std::memcpy(row, visible + parent * length, static_cast<std::size_t>(node));
    row[node] = true;
    if (!config.sliding_window || trie.depth(node) < *config.sliding_window) continue;
    std::int32_t gone = node;
    for (std::int64_t up = 0; up < *config.sliding_window; ++up) gone = trie.parent(gone);
    row[gone] = false;
  }
  for (std::int64_t i = trie.size(); i < length; ++i) visible[i * length + i] = true;
}

}  // namespace

TokenBlock pack(std::span<const TokenTrie> tries, const TransformerConfig& config,
                const at::Device& device) {
  std::int64_t length = 1;
  for (const TokenTrie& trie : tries) length = std::max(length, trie.size());
  const auto rows = static_cast<std::int64_t>(tries.size());
  const at::Tensor tokens = at::zeros({rows, length}, at::kLong);
  const at::Tensor positions = at::zeros({rows, length}, at::kLong);
  const at::Tensor visible = at::zeros({rows, length, length}, at::kBool);
  for (std::int64_t b = 0; b < rows; ++b) {
    const TokenTrie& trie = tries[static_cast<std::size_t>(b)];
    auto* const token = tokens.data_ptr<std::int64_t>() + b * length;
    auto* const position = positions.data_ptr<std::int64_t>() + b * length;
    for (std::int32_t node = 0; node < trie.size(); ++node) {
      token[node] = trie.token(node);
      position[node] = trie.depth(node);
    }
    fill_visible(trie, length, config, visible.data_ptr<bool>() + b * length * length);
  }
  return {tokens.to(device), positions.to(device), visible.to(device)};
}

std::int64_t Predictions::add(const TokenTrie& trie, std::int64_t row, std::int64_t length,
                              std::int32_t node) {
  const std::int32_t parent = trie.parent(node);
  base::require(parent >= 0, "Predictions: nothing predicts the first token of a sequence");
  rows.push_back(row * length + parent);
  targets.push_back(trie.token(node));
  return static_cast<std::int64_t>(rows.size()) - 1;
}

at::Tensor predicted(const TransformerWeights& weights, const TokenBlock& block,
                     const Predictions& predictions, std::int64_t chunk) {
  const auto on_device = [&](const std::vector<std::int64_t>& values) {
    return at::from_blob(const_cast<std::int64_t*>(values.data()),
                         {static_cast<std::int64_t>(values.size())}, at::kLong)
        .to(block.tokens.device(), at::kLong, false, true);
  };
  const at::Tensor hidden = weights.hidden(block);
  return weights.log_probabilities(
      hidden.view({-1, hidden.size(2)}).index_select(0, on_device(predictions.rows)),
      on_device(predictions.targets), chunk);
}

}  // namespace tenfold::nn
