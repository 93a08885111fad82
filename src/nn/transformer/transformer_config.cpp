#include "nn/transformer/transformer_config.hpp"

#include <fmt/core.h>

#include <cmath>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

void check(bool holds, const std::string& what) {
  if (holds) return;
  throw base::Error(base::Code::kUsage, "transformer: " + what, "Correct the model's shape");
}

void check_positive(std::int64_t value, const char* name) {
  check(value > 0, fmt::format("{} must be at least 1, got {}", name, value));
}

// Names and tables are made from these numbers before any weight is seen: what no model has must
// not cost minutes and memory first, nor overflow.
void check_plausible(const TransformerConfig& c) {
  constexpr std::int64_t kMostLayers = 10000, kMostPositions = std::int64_t{1} << 24;
  constexpr double kMostParameters = 1e13;
  check(c.layers <= kMostLayers,
        fmt::format("{} layers are not plausible (at most {})", c.layers, kMostLayers));
  check(c.positions <= kMostPositions,
        fmt::format("{} positions are not plausible (at most {})", c.positions, kMostPositions));
  const auto real = [](std::int64_t value) { return static_cast<double>(value); };
  const double columns = 2 * real(c.heads) * real(c.head_width) +
                         2 * real(c.kv_heads) * real(c.head_width) + 3 * real(c.feed_forward);
  const double parameters =
      real(c.width) * (real(c.layers) * columns + 2 * real(c.vocabulary) + real(c.positions));
  check(parameters <= kMostParameters,
        fmt::format("about {:.3g} parameters are not plausible (width {}, layers {}, heads {} of "
                    "{}, feed_forward {}, vocabulary {}, positions {})",
                    parameters, c.width, c.layers, c.heads, c.head_width, c.feed_forward,
                    c.vocabulary, c.positions));
}

}  // namespace

void TransformerConfig::validate() const {
  // Beyond any model: products of two of these still fit 64 bits.
  constexpr std::int64_t kLargest = std::int64_t{1} << 30;
  check_positive(vocabulary, "vocabulary");
  check_positive(width, "width");
  check_positive(layers, "layers");
  check_positive(heads, "heads");
  check_positive(kv_heads, "kv_heads");
  check_positive(head_width, "head_width");
  check_positive(feed_forward, "feed_forward");
  check_positive(positions, "positions");
  for (const std::int64_t value :
       {vocabulary, width, layers, heads, kv_heads, head_width, feed_forward, positions}) {
    check(value <= kLargest, fmt::format("an extent of {} is not plausible", value));
  }
  check_plausible(*this);
  check(heads % kv_heads == 0,
        fmt::format("kv_heads = {} must divide heads = {}", kv_heads, heads));
  check(std::isfinite(norm_epsilon) && norm_epsilon > 0,
        fmt::format("norm_epsilon must be positive, got {}", norm_epsilon));
  if (family == TransformerFamily::kGpt2) {
    check(kv_heads == heads, "GPT-2 has as many kv_heads as heads");
    check(query_columns() == width, "GPT-2 needs heads * head_width = width");
    check(!llama3_rope && !sliding_window, "GPT-2 has neither rotary positions nor a window");
    return;
  }
  check(head_width % 2 == 0, fmt::format("head_width = {} must be even", head_width));
  check(std::isfinite(rope_theta) && rope_theta > 0,
        fmt::format("rope_theta must be positive, got {}", rope_theta));
  if (sliding_window) check_positive(*sliding_window, "sliding_window");
  if (llama3_rope) {
    check(llama3_rope->factor >= 1 && llama3_rope->low > 0 &&
              llama3_rope->high > llama3_rope->low && llama3_rope->original_positions > 0,
          "llama3 rope scaling needs factor >= 1, 0 < low < high, positive original positions");
  }
}

std::string to_string(TransformerFamily family) {
  return family == TransformerFamily::kLlama ? "llama" : "gpt2";
}

}  // namespace tenfold::nn
