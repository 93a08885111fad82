#include "rl/priority_tree.hpp"

#include <bit>
#include <cmath>

#include "base/error.hpp"

namespace tenfold::rl {

PriorityTree::PriorityTree(std::size_t capacity)
    : capacity_(capacity), leaves_(std::bit_ceil(capacity)), nodes_(2 * leaves_) {}

double PriorityTree::bytes_needed(std::size_t capacity) {
  return 2.0 * static_cast<double>(std::bit_ceil(capacity)) * sizeof(double);
}

void PriorityTree::set(std::size_t slot, double priority) {
  base::require(slot < capacity_ && priority > 0 && std::isfinite(priority),
                "PriorityTree::set: no such slot, or a priority that cannot be");
  put(slot, priority);
}

void PriorityTree::clear(std::size_t slot) {
  base::require(slot < capacity_, "PriorityTree::clear: no such slot");
  put(slot, 0);
}

void PriorityTree::put(std::size_t slot, double priority) {
  std::size_t node = leaves_ + slot;
  nodes_[node] = priority;
  while (node > 1) {
    node /= 2;
    nodes_[node] = nodes_[2 * node] + nodes_[2 * node + 1];
  }
}

std::size_t PriorityTree::draw(base::Stream& stream) const {
  base::require(total() > 0, "PriorityTree::draw: all priorities are 0");
  double rest = stream.uniform(0, total());
  std::size_t node = 1;
  while (node < leaves_) {
    const double left = nodes_[2 * node];
    // Rounding may leave a rest beyond the last slot that has any: never go where there is nothing.
    const bool right = rest >= left && nodes_[2 * node + 1] > 0;
    if (right) rest -= left;
    node = 2 * node + (right ? 1 : 0);
  }
  return node - leaves_;
}

void PriorityTree::rebuild() {
  for (std::size_t node = leaves_ - 1; node > 0; --node) {
    nodes_[node] = nodes_[2 * node] + nodes_[2 * node + 1];
  }
}

}  // namespace tenfold::rl
