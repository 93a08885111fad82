// Philox4x32-10 counter-based random numbers (Salmon et al., SC 2011): every draw of the suite is a
// pure function of (seed, purpose, index, step, draw), so no result depends on which rank drew it.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "base/function.hpp"

namespace tenfold::base {

/// What a stream of random numbers is for. Values are part of the checkpoint format: append only.
enum class Purpose : std::uint32_t {
  kParameterInit = 1,
  kEnvReset = 2,
  kExplorationNoise = 3,
  kWarmUpAction = 4,
  kReplaySample = 5,
  kEvaluationReset = 6,
  kTest = 7,
  kDisturbance = 8,  ///< what an environment does by itself during an episode
  kPlanner = 9,
  kPolicySample = 10,  ///< actions drawn from a stochastic policy
  kActorTraits = 11,   ///< what is drawn once for an actor: its final epsilon
  kPictureShift = 12,  ///< by how much a minibatch's pictures are moved
  kRunTraits = 13,     ///< what is drawn once for a run: its learning rate
  kTreeCommit = 14,    ///< which step a tree search goes on with
  kTokenSample = 15,   ///< tokens drawn from a language model
  kDataItem = 16,      ///< an example of a generated data set
  kDataOrder = 17,     ///< in which order examples are learned from
};

struct Philox {
  /// Ten rounds on one counter block.
  static TENFOLD_FUNCTION std::array<std::uint32_t, 4> block(std::array<std::uint32_t, 4> counter,
                                                             std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter[0];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter[2];
      counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
                 static_cast<std::uint32_t>(product1),
                 static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
                 static_cast<std::uint32_t>(product0)};
      key[0] += 0x9E3779B9U;
      key[1] += 0xBB67AE85U;
    }
    return counter;
  }
};

/// A sequence of draws at one (seed, purpose, index, step). Index is a virtual shard, a global
/// sample or a parameter number, never a rank. Cheap to make: make one where it is needed instead
/// of keeping one alive.
class Stream {
 public:
  /// block: to begin with draw 4 block of 32 bits.
  TENFOLD_FUNCTION Stream(std::uint32_t seed, Purpose purpose, std::uint32_t index,
                          std::uint64_t step, std::uint32_t block = 0)
      : key_{seed, static_cast<std::uint32_t>(purpose)},
        counter_{block, static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32),
                 index} {}

  /// 32 uniform bits.
  TENFOLD_FUNCTION std::uint32_t bits() {
    if (left_ == 0) {
      block_ = Philox::block(counter_, key_);
      ++counter_[0];
      left_ = 4;
    }
    return block_[4 - left_--];
  }

  /// Uniform in [0, 1), 53 bits.
  TENFOLD_FUNCTION double uniform() {
    const std::uint64_t high = bits() >> 5;
    const std::uint64_t low = bits() >> 6;
    return static_cast<double>(high * 67108864U + low) * 0x1.0p-53;
  }
  TENFOLD_FUNCTION double uniform(double low, double high) {
    return low + (high - low) * uniform();
  }

  /// Uniform integer in [0, bound), unbiased (rejection). bound must be positive.
  TENFOLD_FUNCTION std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    std::uint64_t value = 0;
    do {
      const std::uint64_t high = bits();
      value = high << 32 | bits();
    } while (value >= limit);
    return value % bound;
  }

  /// Standard normal (Box-Muller, one value per pair of uniforms, so that draws never pair up).
  TENFOLD_FUNCTION double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int left_ = 0;
};

}  // namespace tenfold::base
