// Drawing tokens from logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::nn {

/// Applied in this order, as transformers' generate does.
struct SamplingOptions {
  double temperature = 1;  ///< 0: the largest logit, the lowest token of several
  std::int64_t top_k = 0;  ///< keep logits that are not below the k-th largest; 0: all
  double top_p = 1;  ///< keep the most probable tokens until they hold this much; at least one

  /// Throws Code::kUsage naming the option.
  void validate() const;
};

/// Where a sample's random numbers come from: token t uses one uniform number, the first of block t
/// of base::Stream(seed, kTokenSample, index, step). So what is drawn depends on neither batch
/// nor rank.
struct SampleKey {
  std::uint32_t seed = 0;
  std::uint32_t index = 0;
  std::uint64_t step = 0;
};
/// In [0, 1).
double token_uniform(const SampleKey& key, std::uint32_t token_index);

struct SampledToken {
  std::int32_t token = 0;
  float log_probability = 0;  ///< under softmax of the logits as they are: no temperature, no cut
};

/// Softmax in float32, with sums in double. Allocates at construction alone.
class TokenSampler {
 public:
  explicit TokenSampler(std::int64_t vocabulary);
  /// logits [vocabulary]; forbidden tokens are never drawn, but count in the log-probability.
  /// uniform in [0, 1). Throws Code::kNumeric where logits are not finite, Code::kUsage where all
  /// is forbidden.
  SampledToken sample(std::span<const float> logits, const SamplingOptions& options, double uniform,
                      std::span<const std::int32_t> forbidden = {});
  /// log softmax(logits)[token].
  float log_probability(std::span<const float> logits, std::int32_t token);
  /// The probabilities that sample draws from, [vocabulary], summing to 1 up to rounding.
  std::span<const float> probabilities(std::span<const float> logits,
                                       const SamplingOptions& options,
                                       std::span<const std::int32_t> forbidden = {});

 private:
  float checked_largest(std::span<const float> logits) const;
  /// weights_ = e^((logit - largest) scale) and sums_; returns the logarithm of e^logit's sum where
  /// scale is 1.
  double weigh(std::span<const float> logits, float largest, float scale);
  void forbid(std::span<const float> logits, std::span<const std::int32_t> forbidden, float scale);
  void keep_top_k(std::int64_t k);
  void keep_top_p(double p);
  void add_up();
  double total() const;
  std::int32_t drawn(double uniform) const;
  std::int32_t likeliest(std::span<const float> logits,
                         std::span<const std::int32_t> forbidden) const;

  std::int64_t vocabulary_;
  std::vector<float> weights_, sorted_;
  std::vector<std::int32_t> order_;
  std::vector<double> sums_;  ///< of weights_, in chunks of kernels::kChunk
};

}  // namespace tenfold::nn
