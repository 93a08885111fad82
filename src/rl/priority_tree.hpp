// Priorities of a replay memory's slots, drawn from in proportion (Schaul et al. 2016, section 3.3
// and appendix B.2.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/philox.hpp"

namespace tenfold::rl {

/// A binary tree of sums. Every inner node is the sum of its two children and of nothing else, so
/// that its bits are a function of the leaves: a tree that is built from saved priorities draws
/// what the one that grew by updates draws.
class PriorityTree {
 public:
  explicit PriorityTree(std::size_t capacity);
  static double bytes_needed(std::size_t capacity);

  /// priority: above 0 and finite, else Code::kBug.
  void set(std::size_t slot, double priority);
  /// Priority 0: the slot is not drawn.
  void clear(std::size_t slot);
  double priority(std::size_t slot) const { return nodes_[leaves_ + slot]; }
  double total() const { return nodes_[1]; }
  /// The slot in whose interval a uniform draw from [0, total()) falls. Throws Code::kBug when all
  /// priorities are 0.
  std::size_t draw(base::Stream& stream) const;

  /// The leaves, float64 [capacity], for checkpoints; rebuild() after they were written from
  /// outside.
  double* priorities() { return nodes_.data() + leaves_; }
  void rebuild();

 private:
  void put(std::size_t slot, double priority);

  std::size_t capacity_, leaves_;  ///< leaves: the next power of two
  std::vector<double> nodes_;      ///< 1 is the root, children of i are 2 i and 2 i + 1
};

}  // namespace tenfold::rl
