// Orders drawn from a stream.
#pragma once

#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "base/philox.hpp"

namespace tenfold::base {

/// Fisher and Yates: every order is equally likely; the same stream gives the same one anywhere.
template <class Range>
void shuffle(Range& values, Stream& stream) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[stream.below(i)]);
}

/// 0 to count - 1 in a drawn order.
inline std::vector<std::size_t> shuffled(std::size_t count, Stream stream) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order, stream);
  return order;
}

}  // namespace tenfold::base
