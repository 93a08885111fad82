// Likeliest tokens one after the other, with how clear each choice was: for comparisons with
// transformers' generate(do_sample=False), which hold up to the first choice that is none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "nn/decoding/decoding_engine.hpp"

namespace tenfold::test {

struct GreedyText {
  std::vector<std::int32_t> tokens;
  std::vector<float> gaps;  ///< by how much the likeliest logit is above the next
};

/// count tokens behind prompt, in a sequence that is released again.
inline GreedyText greedy_text(nn::DecodingEngine& engine, std::vector<std::int32_t> prompt,
                              std::int64_t count) {
  GreedyText text;
  nn::KvBlocks& blocks = engine.blocks();
  const nn::Sequence sequence = blocks.create();
  std::vector<float> logits(static_cast<std::size_t>(engine.config().vocabulary));
  std::vector<std::int32_t> pending = std::move(prompt);
  while (std::ssize(text.tokens) < count) {
    const std::int64_t from = blocks.length(sequence);
    if (!blocks.extend(sequence, std::ssize(pending))) break;
    for (std::size_t i = 0; i < pending.size(); ++i) {
      const nn::TokenRow row{pending[i], sequence, from + static_cast<std::int64_t>(i),
                             i + 1 == pending.size() ? 0 : -1};
      engine.forward({&row, 1}, logits);
    }
    const auto best = std::max_element(logits.begin(), logits.end());
    const float most = *best;
    pending = {static_cast<std::int32_t>(best - logits.begin())};
    text.tokens.push_back(pending[0]);
    *best = -std::numeric_limits<float>::infinity();
    text.gaps.push_back(most - *std::max_element(logits.begin(), logits.end()));
  }
  blocks.release(sequence);
  return text;
}

}  // namespace tenfold::test
