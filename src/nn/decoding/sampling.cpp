#include "nn/decoding/sampling.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "kernels/decoder_kernels.hpp"

namespace tenfold::nn {

namespace {

void check(bool holds, const char* name, double value, const char* hint) {
  if (holds) return;
  throw base::Error(base::Code::kUsage, fmt::format("sampling: {} is {}", name, value), hint);
}

}  // namespace

void SamplingOptions::validate() const {
  check(temperature == 0 || (std::isfinite(temperature) && temperature >= 1e-6), "temperature",
        temperature, "Give 0 for the likeliest token, or at least 0.000001");
  check(top_k >= 0, "top_k", static_cast<double>(top_k), "Give 0 for all tokens, or a number");
  check(top_p > 0 && top_p <= 1, "top_p", top_p, "Give a number above 0, at most 1");
}

double token_uniform(const SampleKey& key, std::uint32_t token_index) {
  return base::Stream(key.seed, base::Purpose::kTokenSample, key.index, key.step, token_index)
      .uniform();
}

TokenSampler::TokenSampler(std::int64_t vocabulary)
    : vocabulary_(vocabulary),
      weights_(static_cast<std::size_t>(vocabulary)),
      sorted_(weights_.size()),
      order_(weights_.size()),
      sums_((weights_.size() + kernels::kChunk - 1) / kernels::kChunk) {}

float TokenSampler::checked_largest(std::span<const float> logits) const {
  base::require(std::ssize(logits) == vocabulary_, "TokenSampler: logits must be [vocabulary]");
  const float largest = kernels::decoder_kernels().largest(logits.data(), vocabulary_);
  if (!std::isfinite(largest)) {
    throw base::Error(base::Code::kNumeric, "the model's logits are not finite",
                      "Are its parameters?");
  }
  return largest;
}

double TokenSampler::total() const {
  double sum = 0;
  for (const double part : sums_) sum += part;
  return sum;
}

double TokenSampler::weigh(std::span<const float> logits, float largest, float scale) {
  kernels::decoder_kernels().exponentials(logits.data(), vocabulary_, largest, scale,
                                          weights_.data(), sums_.data());
  const double sum = total();
  if (!std::isfinite(sum)) {
    throw base::Error(base::Code::kNumeric, "the model's logits are not finite",
                      "Are its parameters?");
  }
  return static_cast<double>(largest) + std::log(sum);
}

void TokenSampler::add_up() {
  for (std::size_t chunk = 0; chunk < sums_.size(); ++chunk) {
    const std::size_t begin = chunk * kernels::kChunk;
    const std::size_t end = std::min(begin + kernels::kChunk, weights_.size());
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += static_cast<double>(weights_[i]);
    sums_[chunk] = sum;
  }
}

// The largest of what is left may be far below the largest of all: weights are computed anew.
void TokenSampler::forbid(std::span<const float> logits, std::span<const std::int32_t> forbidden,
                          float scale) {
  std::copy(logits.begin(), logits.end(), weights_.begin());
  for (const std::int32_t token : forbidden) {
    weights_[static_cast<std::size_t>(token)] = std::numeric_limits<float>::lowest();
  }
  const float largest = kernels::decoder_kernels().largest(weights_.data(), vocabulary_);
  if (largest == std::numeric_limits<float>::lowest()) {
    throw base::Error(base::Code::kUsage, "sampling: every token of the vocabulary is forbidden",
                      "Leave at least one");
  }
  kernels::decoder_kernels().exponentials(weights_.data(), vocabulary_, largest, scale,
                                          weights_.data(), sums_.data());
  for (const std::int32_t token : forbidden) weights_[static_cast<std::size_t>(token)] = 0;
  add_up();
}

void TokenSampler::keep_top_k(std::int64_t k) {
  if (k <= 0 || k >= vocabulary_) return;
  std::copy(weights_.begin(), weights_.end(), sorted_.begin());
  std::nth_element(sorted_.begin(), sorted_.begin() + (k - 1), sorted_.end(), std::greater<>());
  const float least = sorted_[static_cast<std::size_t>(k - 1)];
  for (float& weight : weights_) weight = weight < least ? 0 : weight;
  add_up();
}

// From the least probable on, tokens go while together they hold no more than 1 - p; of equal ones
// the later go first.
void TokenSampler::keep_top_p(double p) {
  if (p >= 1) return;
  const double spare = (1 - p) * total();
  // All that are at most this together hold no more than may go: they need no sorting.
  const double small = spare / static_cast<double>(vocabulary_);
  double gone = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const auto weight = static_cast<double>(weights_[i]);
    if (weight > small) {
      order_[count++] = static_cast<std::int32_t>(i);
    } else {
      gone += weight;
      weights_[i] = 0;
    }
  }
  const auto weight = [&](std::int32_t token) { return weights_[static_cast<std::size_t>(token)]; };
  std::sort(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(count),
            [&](std::int32_t a, std::int32_t b) {
              return weight(a) != weight(b) ? weight(a) < weight(b) : a > b;
            });
  for (std::size_t i = 0; i + 1 < count; ++i) {
    gone += static_cast<double>(weight(order_[i]));
    if (gone > spare) break;
    weights_[static_cast<std::size_t>(order_[i])] = 0;
  }
  add_up();
}

std::int32_t TokenSampler::drawn(double uniform) const {
  double left = uniform * total();
  std::size_t chunk = 0;
  while (chunk + 1 < sums_.size() && left >= sums_[chunk]) left -= sums_[chunk++];
  // Rounding may leave a little at the end: then it is the last token that can be drawn.
  while (chunk > 0 && sums_[chunk] == 0) --chunk;
  const std::size_t begin = chunk * kernels::kChunk;
  const std::size_t end = std::min(begin + kernels::kChunk, weights_.size());
  std::size_t last = begin;
  for (std::size_t i = begin; i < end; ++i) {
    if (weights_[i] == 0) continue;
    last = i;
    left -= static_cast<double>(weights_[i]);
    if (left < 0) break;
  }
  return static_cast<std::int32_t>(last);
}

std::int32_t TokenSampler::likeliest(std::span<const float> logits,
                                     std::span<const std::int32_t> forbidden) const {
  std::int32_t best = -1;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(vocabulary_); ++i) {
    const bool better =
        best < 0 || logits[static_cast<std::size_t>(i)] > logits[static_cast<std::size_t>(best)];
    if (better && std::find(forbidden.begin(), forbidden.end(), i) == forbidden.end()) best = i;
  }
  if (best < 0) {
    throw base::Error(base::Code::kUsage, "sampling: every token of the vocabulary is forbidden",
                      "Leave at least one");
  }
  return best;
}

SampledToken TokenSampler::sample(std::span<const float> logits, const SamplingOptions& options,
                                  double uniform, std::span<const std::int32_t> forbidden) {
  const float largest = checked_largest(logits);
  const double log_sum = weigh(logits, largest, 1);
  std::int32_t token = 0;
  if (options.temperature == 0) {
    token = likeliest(logits, forbidden);
  } else {
    const auto scale = static_cast<float>(1 / options.temperature);
    if (!forbidden.empty()) {
      forbid(logits, forbidden, scale);
    } else if (scale != 1) {
      weigh(logits, largest, scale);
    }
    keep_top_k(options.top_k);
    keep_top_p(options.top_p);
    token = drawn(uniform);
  }
  const auto logit = static_cast<double>(logits[static_cast<std::size_t>(token)]);
  return {token, static_cast<float>(logit - log_sum)};
}

float TokenSampler::log_probability(std::span<const float> logits, std::int32_t token) {
  const double log_sum = weigh(logits, checked_largest(logits), 1);
  return static_cast<float>(static_cast<double>(logits[static_cast<std::size_t>(token)]) - log_sum);
}

std::span<const float> TokenSampler::probabilities(std::span<const float> logits,
                                                   const SamplingOptions& options,
                                                   std::span<const std::int32_t> forbidden) {
  sample(logits, options, 0, forbidden);
  if (options.temperature == 0) {
    const std::int32_t token = likeliest(logits, forbidden);
    std::fill(weights_.begin(), weights_.end(), 0.0F);
    weights_[static_cast<std::size_t>(token)] = 1;
    return weights_;
  }
  const auto sum = static_cast<float>(total());
  for (float& weight : weights_) weight /= sum;
  return weights_;
}

}  // namespace tenfold::nn
