// The parameters that all actors of a node learn together: theta, the statistics of shared RMSProp,
// theta of the target network, and the counters T and updates (Mnih et al. 2016, section 4), in
// memory that the node's ranks share.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "a3c/sharing/optimizer.hpp"
#include "comm/shared_arena.hpp"

namespace tenfold::a3c {

/// How ranks apply their gradients.
enum class UpdatePolicy {
  kHogwild,  ///< no locks: of two ranks that write one element at once, one may be lost
  kStriped,  ///< a lock for each of some stripes; ranks begin at different ones
  kAtomic,   ///< compare-and-swap per element: nothing is lost, nothing waits
  kMutex,    ///< one ticket lock round the whole update
  kRma,      ///< MPI_Accumulate of the step: MPI's own atomicity
};
/// "hogwild" | "striped" | "atomic" | "mutex" | "rma". Throws Code::kUsage.
UpdatePolicy update_policy(const std::string& word);

/// A number in shared memory on a cache line of its own.
class SharedNumber {
 public:
  SharedNumber(const comm::SharedArena& arena, const std::string& name);
  std::int64_t get() const;
  void set(std::int64_t value) const;
  std::int64_t add(std::int64_t value) const;  ///< returns what was there before
  /// Changes expected to value; false: it was something else.
  bool replace(std::int64_t expected, std::int64_t value) const;

 private:
  std::int64_t* value_;
};

struct SharingOptions {
  std::int64_t size = 0;  ///< P, floats; a multiple of 16
  UpdatePolicy policy = UpdatePolicy::kHogwild;
  OptimizerOptions optimizer{};
  std::int64_t stripes = 64;
};

class SharedParameters {
 public:
  static std::vector<comm::ArenaPart> parts(const SharingOptions& options);
  /// rank, of ranks: where striped updates begin.
  SharedParameters(const comm::SharedArena& arena, const SharingOptions& options, int rank,
                   int ranks);

  /// theta, or that of the target network, as it is now into copy, float32 [P].
  void read(const at::Tensor& copy) const;
  void read_target(const at::Tensor& copy) const;
  /// One step with this gradient, float32 [P]. own: statistics [P] of the actor, where they are not
  /// shared. Returns how many updates were made before this one.
  std::int64_t apply(const at::Tensor& gradient, double lr, const at::Tensor& own) const;
  /// theta <- theta - less, float32 [P], by the same policy as updates.
  void subtract(const at::Tensor& less) const;
  /// theta of the target network <- theta; counts as so many copies.
  void copy_target(std::int64_t times = 1) const;

  const SharedNumber& frames() const { return frames_; }    ///< T
  const SharedNumber& updates() const { return updates_; }  ///< applied so far
  const SharedNumber& copies() const { return copies_; }    ///< of the target network
  std::span<float> parameters() const { return parameters_; }
  std::span<float> statistics() const { return statistics_; }
  std::span<float> target() const { return target_; }

 private:
  void step(const OptimizerOptions& optimizer, const float* gradient, double lr,
            float* statistics) const;
  void step_striped(const OptimizerOptions& optimizer, const float* gradient, double lr,
                    float* statistics) const;

  const comm::SharedArena& arena_;
  SharingOptions options_;
  std::span<float> parameters_, statistics_, target_;
  std::span<std::int64_t> ticket_, stripes_;
  SharedNumber frames_, updates_, copies_;
  std::int64_t first_stripe_;
  mutable std::vector<float> delta_;    ///< rma
  mutable std::vector<float> nothing_;  ///< statistics of subtract, which keeps none
};

}  // namespace tenfold::a3c
