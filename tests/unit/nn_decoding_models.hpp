// Small models with every feature, and what LibTorch's forward pass over whole sequences says of
// them.
#pragma once

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/philox.hpp"
#include "nn/decoding/decoding_engine.hpp"

namespace tenfold::test {

struct SmallModel {
  std::string name;
  nn::TransformerConfig config;
};
inline void PrintTo(const SmallModel& model, std::ostream* to) {  // NOLINT: GoogleTest's name
  *to << model.name;
}

inline std::vector<SmallModel> small_models() {
  nn::TransformerConfig llama;
  llama.vocabulary = 97;
  llama.width = 48;
  llama.layers = 3;
  llama.heads = 6;
  llama.kv_heads = 2;
  llama.head_width = 8;
  llama.feed_forward = 112;
  llama.positions = 128;
  llama.rope_theta = 12345;
  nn::TransformerConfig mistral = llama;
  mistral.head_width = 20;
  mistral.sliding_window = 8;
  mistral.tied_embeddings = true;
  nn::TransformerConfig gpt2 = llama;
  gpt2.family = nn::TransformerFamily::kGpt2;
  gpt2.heads = gpt2.kv_heads = 4;
  gpt2.head_width = 12;
  gpt2.tied_embeddings = true;
  return {{"llama", llama}, {"window", mistral}, {"gpt2", gpt2}};
}

/// A model whose attention, norms and biases all matter.
struct FilledModel {
  explicit FilledModel(const nn::TransformerConfig& config, std::uint32_t seed = 1)
      : model(config), flat(at::zeros({model.parameters().flat_size()}, at::kFloat)) {
    std::uint32_t index = 0;
    for (const nn::ParameterEntry& entry : model.parameters().entries()) {
      base::Stream stream(seed, base::Purpose::kTest, index++, 0);
      float* const values = flat.data_ptr<float>() + entry.offset;
      const double scale = entry.shape.size() > 1 ? 0.15 : 0.1;
      for (std::int64_t i = 0; i < entry.size; ++i) {
        values[i] = static_cast<float>(entry.init_low == entry.init_high
                                           ? entry.init_low + scale * stream.normal()
                                           : scale * stream.normal());
      }
    }
  }
  /// [tokens, vocabulary], of one sequence from its beginning.
  std::vector<float> logits(const std::vector<std::int32_t>& tokens) const {
    const std::vector<std::int64_t> wide(tokens.begin(), tokens.end());
    const at::Tensor row = at::tensor(wide, at::kLong).unsqueeze(0);
    const at::Tensor length = at::tensor(std::vector<std::int64_t>{row.size(1)}, at::kLong);
    const nn::TransformerWeights weights(model, flat);
    const at::Tensor all =
        weights.logits(weights.hidden(nn::causal_block(row, length, model.config()))).contiguous();
    return {all.data_ptr<float>(), all.data_ptr<float>() + all.numel()};
  }

  nn::Transformer model;
  at::Tensor flat;
};

inline std::vector<std::int32_t> random_tokens(std::int64_t count, std::uint32_t seed,
                                               std::int64_t vocabulary = 97) {
  base::Stream stream(seed, base::Purpose::kTest, 7, 7);
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(count));
  for (std::int32_t& token : tokens) {
    token = static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(vocabulary)));
  }
  return tokens;
}

/// Reads tokens behind what sequence has, in one forward pass; their logits [tokens, vocabulary].
inline std::vector<float> read(nn::DecodingEngine& engine, nn::Sequence sequence,
                               const std::vector<std::int32_t>& tokens) {
  const std::int64_t from = engine.blocks().length(sequence);
  EXPECT_TRUE(engine.blocks().extend(sequence, std::ssize(tokens)));
  std::vector<nn::TokenRow> rows;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    rows.push_back(
        {tokens[i], sequence, from + static_cast<std::int64_t>(i), static_cast<std::int32_t>(i)});
  }
  std::vector<float> logits(tokens.size() * static_cast<std::size_t>(engine.config().vocabulary));
  engine.forward(rows, logits);
  return logits;
}

inline double largest_gap(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double gap = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double apart = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    gap = apart <= gap ? gap : apart;  // NaN stays
  }
  return gap;
}

inline std::vector<std::int32_t> part(const std::vector<std::int32_t>& tokens, std::size_t begin,
                                      std::size_t end) {
  return {tokens.begin() + static_cast<std::ptrdiff_t>(begin),
          tokens.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace tenfold::test
